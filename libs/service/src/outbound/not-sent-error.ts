/** The environment may not reach the host. The request was kept where it can be read. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';

  constructor(peer: string, { host, environment }: { host: string; environment: string }) {
    super(
      `${peer}: nothing was sent to ${host}; expected a host that ${environment} may reach\n` +
        '  list it in OUTBOUND_HOSTS, or replace the service by a fake: docs/outside-services.md',
    );
  }
}
