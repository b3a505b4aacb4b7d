import type { ComposeModel, Fields } from '../compose-model.js';
import { DeployError } from '../problem.js';

/** A preview runs code that nobody has reviewed yet: nothing of staging, production or the host may be within its reach. */
export function assertIsolated(model: ComposeModel, own: { secretsDir: string; edgeNetwork: string }): void {
  const problems = [
    ...judgeSecrets(model, own.secretsDir),
    ...judgeNetworks(model, own.edgeNetwork),
    ...judgeServices(model),
  ];
  if (problems.length === 0) return;
  throw new DeployError({
    text: problems.join('\n'),
    mend: 'mend compose.preview.yml: a preview has everything of its own',
  });
}

function judgeSecrets(model: ComposeModel, secretsDir: string): string[] {
  return Object.entries(model.secrets ?? {})
    .filter(([name, { file }]) => file !== `${secretsDir}/${name}`)
    .map(([name]) => `secrets.${name}: is not generated; expected the file ${name} of this preview alone`);
}

function judgeNetworks(model: ComposeModel, edgeNetwork: string): string[] {
  return Object.entries(model.networks ?? {})
    .filter(([, network]) => network?.['external'] === true && network['name'] !== edgeNetwork)
    .map(([name, network]) => `networks.${name}: is ${String(network?.['name'])}; expected its own, or ${edgeNetwork}`);
}

function judgeServices(model: ComposeModel): string[] {
  return Object.entries(model.services).flatMap(([name, service]) => [
    ...((service['volumes'] ?? []) as Fields[])
      .filter(({ type }) => type === 'bind')
      .map(({ source }) => `services.${name}: binds ${String(source)} of the host; expected a volume`),
    ...((service['ports'] ?? []) as Fields[]).map(() => `services.${name}: publishes a port; expected the edge alone`),
    ...(service['environment'] ? judgeEnvironment(name, service['environment'] as Fields) : []),
  ]);
}

function judgeEnvironment(name: string, { ENVIRONMENT: said }: Fields): string[] {
  if (said === undefined || said === 'preview') return [];
  return [`services.${name}: ENVIRONMENT is ${JSON.stringify(said)}; expected "preview"`];
}
