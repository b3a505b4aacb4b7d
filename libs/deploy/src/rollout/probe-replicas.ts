import { omit, type Fields } from '../engine/model-fields.js';
import type { Docker } from '../engine/docker.js';
import type { ImageReference } from '../engine/image-reference.js';
import { runJobs, withoutAliases, type SwarmJob, type SwarmJobOptions } from '../release/release-job.js';
import { describeJobFailure } from './preflight.js';
import { DeployError } from '../engine/deploy-error.js';
import { listHttpServices, type ReleasePlan } from '../release/release-plan.js';
import type { Task } from '../engine/swarm.js';

/** The responses of one replica, read inside the network, where no proxy chooses the replica. */
export interface ReplicaState {
  readonly address: string;
  readonly healthz: number;
  readonly readyz: number;
  readonly version: { readonly digest?: string; readonly commit?: string } | null;
}

interface ProbeOutput {
  readonly replicas: readonly ReplicaState[];
  readonly noNewPrivileges: boolean;
}

/**
 * Requests every replica behind a name until all respond correctly for `soakMs`, or until the time limit.
 * Runs inside the image and needs only `node` and a network.
 */
const SCRIPT = `
const { NAME, SCRATCH_STACK, PORT, COUNT, DIGEST, SOAK_MS, LIMIT_MS, OTHER_DIGEST_MS } = process.env;
const dns = require('node:dns').promises, fs = require('node:fs'), http = require('node:http');
const get = (address, path) => new Promise((resolve) => {
  const request = http.get({ host: address, port: PORT, path, timeout: 2000, agent: false }, (response) => {
    let body = '';
    response.on('data', (part) => (body += part)).on('end', () => resolve({ status: response.statusCode, body }));
  });
  request.on('timeout', () => request.destroy()).on('error', () => resolve({ status: 0, body: '' }));
});
const parse = (body) => { try { return JSON.parse(body); } catch { return null; } };
const ask = async (address) => {
  const [healthz, readyz, version] = await Promise.all(['/healthz', '/readyz', '/version'].map((path) => get(address, path)));
  return { address, healthz: healthz.status, readyz: readyz.status, version: version.status === 200 ? parse(version.body) : null };
};
// Another digest does not change by waiting.
const servesOtherDigest = ({ version }) => typeof version?.digest === 'string' && version.digest !== DIGEST;
const isRight = (replica) => replica.healthz === 200 && replica.readyz === 200 && replica.version?.digest === DIGEST;
(async () => {
  const end = Date.now() + Number(LIMIT_MS);
  let since, otherDigestSince, replicas = [];
  while (Date.now() < end) {
    const addresses = await dns.resolve4('tasks.' + (NAME || SCRATCH_STACK + '_canary')).catch(() => []);
    replicas = await Promise.all(addresses.map(ask));
    const right = replicas.length === Number(COUNT) && replicas.every(isRight);
    since = right ? since ?? Date.now() : undefined;
    if (right && Date.now() - since >= Number(SOAK_MS)) break;
    otherDigestSince = replicas.some(servesOtherDigest) ? otherDigestSince ?? Date.now() : undefined;
    if (otherDigestSince !== undefined && Date.now() - otherDigestSince >= Number(OTHER_DIGEST_MS)) break;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const noNewPrivileges = /NoNewPrivs:\\s*1/.test(fs.readFileSync('/proc/self/status', 'utf8'));
  console.log(JSON.stringify({ replicas, noNewPrivileges }));
  process.exit(since !== undefined && Date.now() - since >= Number(SOAK_MS) ? 0 : 1);
})();`;

export interface ProbeOptions {
  readonly plan: ReleasePlan;
  readonly image: ImageReference;
  readonly limitMs: number;
  readonly jobs: Omit<SwarmJobOptions, 'timeoutMs' | 'beside' | 'onPoll'>;
}

/** How long a replica may return another digest: a replica that is being replaced still responds for a moment. */
const OTHER_DIGEST_MS = 5_000;

/** Checks that each replica is healthy and returns the digest. */
export async function probeReplicas(
  docker: Docker,
  options: ProbeOptions & { stackName: string },
): Promise<ReplicaState[]> {
  const states: ReplicaState[] = [];
  for (const name of listHttpServices(options.plan)) {
    const service = options.plan.stack.services[name] ?? {};
    const count = Number((service['deploy'] as Fields | undefined)?.['replicas'] ?? 1);
    const job = createProbe(options, { service, target: `${options.stackName}_${name}`, count, soakMs: 1_000 });
    const { replicas } = await runProbe(docker, job, options, { what: `services.${name}`, count });
    states.push(...replicas);
  }
  return states;
}

/** Starts one replica that no proxy routes to, with the configuration of the real ones, and removes it again. */
export async function runCanaryProbe(
  docker: Docker,
  options: ProbeOptions & { soakMs: number },
): Promise<{ noNewPrivileges: boolean }> {
  const [name = ''] = listHttpServices(options.plan);
  const service = options.plan.stack.services[name] ?? {};
  const { resources, placement, endpoint_mode } = (service['deploy'] ?? {}) as Fields;
  const replica = {
    ...omit(service, 'ports', 'hostname'),
    networks: withoutAliases(service['networks']),
    // It gets no traffic, so there is nothing to drain.
    stop_grace_period: '1s',
    deploy: {
      replicas: 1,
      restart_policy: { condition: 'none' },
      ...Object.fromEntries(Object.entries({ resources, placement, endpoint_mode }).filter(([, value]) => value)),
    },
  };
  const job = createProbe(options, { service, target: '', count: 1, soakMs: options.soakMs });
  return runProbe(docker, job, options, {
    what: 'canary',
    count: 1,
    beside: { canary: replica },
    onPoll: (besides) => assertStillAlive(docker, besides),
  });
}

function createProbe(
  { image, limitMs }: ProbeOptions,
  target: { service: Fields; target: string; count: number; soakMs: number },
): SwarmJob {
  const environment = target.service['environment'] as Record<string, string> | undefined;
  return {
    service: target.service,
    command: ['node', '-e', SCRIPT],
    environment: {
      NAME: target.target,
      PORT: environment?.['PORT'] ?? '8000',
      COUNT: String(target.count),
      DIGEST: image.digest,
      SOAK_MS: String(target.soakMs),
      OTHER_DIGEST_MS: String(OTHER_DIGEST_MS),
      LIMIT_MS: String(limitMs),
    },
  };
}

async function runProbe(
  docker: Docker,
  job: SwarmJob,
  options: ProbeOptions,
  context: { what: string; count: number } & Pick<SwarmJobOptions, 'beside' | 'onPoll'>,
): Promise<ProbeOutput> {
  const { what, count, ...around } = context;
  const jobs = { ...options.jobs, ...around, timeoutMs: options.limitMs + 60_000 };
  const { probe } = await runJobs(docker, { probe: job }, jobs);
  const output = probe.stdout.startsWith('{') ? (JSON.parse(probe.stdout) as ProbeOutput) : undefined;
  if (probe.exitCode === 0 && output) return output;
  throw new DeployError({
    text: `${what}: ${output ? describeReplicas(output.replicas, count) : describeJobFailure(probe)}; expected ${count} ready with ${options.image.digest}`,
    fix: 'read the logs: docker service logs SERVICE',
  });
}

export function describeReplicas(replicas: readonly ReplicaState[], expected: number): string {
  const each = replicas.map(
    ({ healthz, readyz, version }) => `healthz ${healthz}, readyz ${readyz}, digest ${version?.digest ?? 'none'}`,
  );
  return `${replicas.length} of ${expected} replicas respond${each.length > 0 ? ` (${each.join('; ')})` : ''}`;
}

async function assertStillAlive(docker: Docker, besides: ReadonlyMap<string, readonly Task[]>): Promise<void> {
  const [[service, tasks] = ['', []]] = besides;
  const dead = tasks.find(({ state }) => ['failed', 'rejected', 'shutdown', 'complete'].includes(state));
  if (dead === undefined) return;
  const logs = await docker.attempt(['service', 'logs', '--raw', '--tail', '8', service], { timeoutMs: 10_000 });
  const said = `${logs.stdout}${logs.stderr}`.trim().split('\n').slice(-8).join('\n    ');
  throw new DeployError({
    text: `canary: the replica of the new image exited (${dead.error || dead.state}); expected it to keep running\n    ${said}`,
    fix: 'no replica was replaced, so users are not affected; fix the image and deploy again',
  });
}
