import { Command } from 'commander';

export function outboundCommand(): Command {
  const outbound = new Command('outbound').description('the way out of a network that has no other');
  outbound
    .command('serve')
    .description('serve the proxy through which the programs of this environment reach hosts outside')
    .addHelpText(
      'after',
      '\nA service of the stack (docs/outside-services.md). It connects to the hosts of OUTBOUND_HOSTS and of the\n' +
        'services in its configuration, and to no other.\n\n' +
        'Example: airlock outbound serve',
    )
    .action(runServe);
  return outbound;
}

async function runServe(_options: object, command: Command): Promise<void> {
  const { loadConfig } = await import('@airlock/config/loading');
  const config = loadConfig({ program: 'outbound' });
  const { serveOutboundProxy } = await import('@airlock/service/outbound-proxy');
  await serveOutboundProxy(config, { version: command.parent?.parent?.version() ?? '' });
}
