import { omit, type Fields } from '../engine/model-fields.js';
import type { Docker } from '../engine/docker.js';
import type { ImageReference } from '../engine/image-reference.js';
import { runJobs, withoutAliases, type Job, type JobOptions } from '../release/release-job.js';
import { describeJobFailure } from './preflight.js';
import { DeployError } from '../engine/deploy-error.js';
import type { ReleasePlan } from '../release/release-plan.js';
import type { Task } from '../engine/swarm.js';

/** What one replica answered from inside the network, where no proxy chooses for us. */
export interface ReplicaAnswer {
  readonly address: string;
  readonly healthz: number;
  readonly readyz: number;
  readonly version: { readonly digest?: string; readonly commit?: string } | null;
}

interface ProbeAnswer {
  readonly replicas: readonly ReplicaAnswer[];
  readonly noNewPrivileges: boolean;
}

/**
 * Asks every replica behind a name until all of them answer as they should for `soakMs`, or until the time is up.
 * Runs inside the image: `node` and a network are all that it needs.
 */
const SCRIPT = `
const { NAME, SCRATCH_STACK, PORT, COUNT, DIGEST, SOAK_MS, LIMIT_MS, STRANGER_MS } = process.env;
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
// Another digest, said plainly, is no matter of waiting.
const isStranger = ({ version }) => typeof version?.digest === 'string' && version.digest !== DIGEST;
const isRight = (replica) => replica.healthz === 200 && replica.readyz === 200 && replica.version?.digest === DIGEST;
(async () => {
  const end = Date.now() + Number(LIMIT_MS);
  let since, strangerSince, replicas = [];
  while (Date.now() < end) {
    const addresses = await dns.resolve4('tasks.' + (NAME || SCRATCH_STACK + '_rehearsal')).catch(() => []);
    replicas = await Promise.all(addresses.map(ask));
    const right = replicas.length === Number(COUNT) && replicas.every(isRight);
    since = right ? since ?? Date.now() : undefined;
    if (right && Date.now() - since >= Number(SOAK_MS)) break;
    strangerSince = replicas.some(isStranger) ? strangerSince ?? Date.now() : undefined;
    if (strangerSince !== undefined && Date.now() - strangerSince >= Number(STRANGER_MS)) break;
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
  readonly jobs: Omit<JobOptions, 'timeoutMs' | 'beside' | 'onLook'>;
}

/** How long a replica must answer well before it counts. Longer than what dies right after it got healthy. */
const REHEARSAL_SOAK_MS = 8_000;

/** How long a replica may name another digest: what is being replaced still answers for a moment. */
const STRANGER_MS = 5_000;

/** Judges what now serves: each replica by its own answers. */
export async function probeReplicas(
  docker: Docker,
  options: ProbeOptions & { stackName: string },
): Promise<ReplicaAnswer[]> {
  const answers: ReplicaAnswer[] = [];
  for (const name of options.plan.appServices) {
    const service = options.plan.stack.services[name] ?? {};
    const count = Number((service['deploy'] as Fields | undefined)?.['replicas'] ?? 1);
    const job = createProbe(options, { service, target: `${options.stackName}_${name}`, count, soakMs: 1_000 });
    const { replicas } = await runProbe(docker, job, options, { what: `services.${name}`, count });
    answers.push(...replicas);
  }
  return answers;
}

/** Starts one replica that no proxy knows, with everything the real ones will have, and removes it again. */
export async function rehearse(docker: Docker, options: ProbeOptions): Promise<{ noNewPrivileges: boolean }> {
  const [name = ''] = options.plan.appServices;
  const service = options.plan.stack.services[name] ?? {};
  const { resources, placement, endpoint_mode } = (service['deploy'] ?? {}) as Fields;
  const replica = {
    ...omit(service, 'ports', 'hostname'),
    networks: withoutAliases(service['networks']),
    // Nobody sends it anything, so there is nothing to drain.
    stop_grace_period: '1s',
    deploy: {
      replicas: 1,
      restart_policy: { condition: 'none' },
      ...Object.fromEntries(Object.entries({ resources, placement, endpoint_mode }).filter(([, value]) => value)),
    },
  };
  const job = createProbe(options, { service, target: '', count: 1, soakMs: REHEARSAL_SOAK_MS });
  return runProbe(docker, job, options, {
    what: 'rehearsal',
    count: 1,
    beside: { rehearsal: replica },
    onLook: (besides) => assertStillAlive(docker, besides),
  });
}

function createProbe(
  { image, limitMs }: ProbeOptions,
  target: { service: Fields; target: string; count: number; soakMs: number },
): Job {
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
      STRANGER_MS: String(STRANGER_MS),
      LIMIT_MS: String(limitMs),
    },
  };
}

async function runProbe(
  docker: Docker,
  job: Job,
  options: ProbeOptions,
  scene: { what: string; count: number } & Pick<JobOptions, 'beside' | 'onLook'>,
): Promise<ProbeAnswer> {
  const { what, count, ...around } = scene;
  const jobs = { ...options.jobs, ...around, timeoutMs: options.limitMs + 60_000 };
  const { probe } = await runJobs(docker, { probe: job }, jobs);
  const answer = probe.stdout.startsWith('{') ? (JSON.parse(probe.stdout) as ProbeAnswer) : undefined;
  if (probe.exitCode === 0 && answer) return answer;
  throw new DeployError({
    text: `${what}: ${answer ? describeAnswers(answer.replicas, count) : describeJobFailure(probe)}; expected ${count} ready with ${options.image.digest}`,
    mend: 'see why: docker service logs',
  });
}

export function describeAnswers(replicas: readonly ReplicaAnswer[], expected: number): string {
  const each = replicas.map(
    ({ healthz, readyz, version }) => `healthz ${healthz}, readyz ${readyz}, digest ${version?.digest ?? 'none'}`,
  );
  return `${replicas.length} of ${expected} replicas answer${each.length > 0 ? ` (${each.join('; ')})` : ''}`;
}

async function assertStillAlive(docker: Docker, besides: ReadonlyMap<string, readonly Task[]>): Promise<void> {
  const [[service, tasks] = ['', []]] = besides;
  const dead = tasks.find(({ state }) => ['failed', 'rejected', 'shutdown', 'complete'].includes(state));
  if (dead === undefined) return;
  const logs = await docker.attempt(['service', 'logs', '--raw', '--tail', '8', service], { timeoutMs: 10_000 });
  const said = `${logs.stdout}${logs.stderr}`.trim().split('\n').slice(-8).join('\n    ');
  throw new DeployError({
    text: `rehearsal: one replica of the new image ended (${dead.error || dead.state}); expected it to stay\n    ${said}`,
    mend: 'nothing was changed for those who use the service; mend the image',
  });
}
