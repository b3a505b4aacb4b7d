import { run } from './engine.fixture.js';

/** The parts of `docker inspect` that the suites read. */
export interface Container {
  readonly Id: string;
  readonly Config: {
    readonly Labels: Readonly<Record<string, string>>;
    readonly User: string;
    readonly Image: string;
  };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly Memory: number;
    readonly NanoCpus: number;
    readonly PidsLimit: number;
    readonly PortBindings: Readonly<Record<string, unknown>>;
  };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> };
  readonly Mounts: readonly {
    readonly Type: string;
    readonly Name?: string;
    readonly Source: string;
    readonly Destination: string;
    readonly RW: boolean;
  }[];
}

/** The running containers of a Compose project. */
export function inspectProject(project: string): Container[] {
  const filter = `label=com.docker.compose.project=${project}`;
  const ids = run('docker', ['ps', '--quiet', '--filter', filter]).split('\n').filter(Boolean);
  return ids.length === 0 ? [] : (JSON.parse(run('docker', ['inspect', ...ids])) as Container[]);
}

export function serviceOf({ Config }: Container): string {
  return Config.Labels['com.docker.compose.service'] ?? '';
}

/** The privileges of a container's first process, read from the kernel, and the limits of the container. */
export function describeConfinement(container: Container) {
  const { Id, HostConfig, Config } = container;
  const status = run('docker', ['exec', Id, 'cat', '/proc/1/status']);
  return {
    service: serviceOf(container),
    user: Config.User,
    root: /^Uid:\t(\d+)/m.exec(status)?.[1] === '0',
    capabilities: /^CapEff:\t(\d+)$/m.exec(status)?.[1],
    privileges: /^NoNewPrivs:\t(\d)$/m.exec(status)?.[1],
    readOnly: HostConfig.ReadonlyRootfs,
    limited: HostConfig.Memory > 0 && HostConfig.NanoCpus > 0 && HostConfig.PidsLimit > 0,
  };
}

/** The result of `describeConfinement` that every container must have. */
export const CONFINED = {
  root: false,
  capabilities: '0000000000000000',
  privileges: '1',
  readOnly: true,
  limited: true,
} as const;

/** Everything of a Compose project that exists, running or not. */
export function listProject(project: string): string[] {
  const filter = ['--filter', `label=com.docker.compose.project=${project}`];
  return [
    ['ps', '--all', '--format', 'container {{.Names}}'],
    ['network', 'ls', '--format', 'network {{.Name}}'],
    ['volume', 'ls', '--format', 'volume {{.Name}}'],
  ].flatMap((list) =>
    run('docker', [...list, ...filter])
      .split('\n')
      .filter(Boolean),
  );
}
