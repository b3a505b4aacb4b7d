import { readFile } from 'node:fs/promises';
import { type Call, CALLBACK_OPTION, hasCallback, type HostedTarget, type TargetRequest } from './target.js';

const FOLDER = 'docker/deploy/alibaba';

/**
 * Alibaba Cloud ACK, or any other Kubernetes: a job migrates, then the API, the worker and the callback roll out, one
 * surplus pod at a time. Without connected accounts the callback has no pod.
 */
export const alibaba: HostedTarget = {
  name: 'alibaba',
  options: {
    namespace: 'the Kubernetes namespace of this environment',
    registry: 'optional: the ACR repository to copy the image to first',
    ...CALLBACK_OPTION,
  },
  async createCalls(request) {
    return [
      kubectl(request, ['delete', 'job/airlock-migrate', '--ignore-not-found', '--wait']),
      kubectl(request, ['apply', '--filename', '-'], await loadManifest('migrate.yaml', request)),
      awaitMigration(request),
      ...(await rollOut(request, 'api')),
      ...(await rollOut(request, 'worker')),
      ...(await rollOut(request, 'callback')),
    ];
  },
  undo: {
    readImage: (request) =>
      kubectl(request, [
        'get',
        DEPLOYMENT,
        '--ignore-not-found',
        `--output=jsonpath={${TEMPLATE}.containers[0].image}`,
      ]),
    readRevisions: (request) =>
      kubectl(request, ['get', 'replicasets', '--selector=app=airlock-api', `--output=jsonpath=${REVISIONS}`]),
    goBack: (request, revision) => kubectl(request, ['rollout', 'undo', DEPLOYMENT, `--to-revision=${revision}`]),
  },
};

const DEPLOYMENT = 'deployment/airlock-api';
const TEMPLATE = '.spec.template.spec';
const REVISIONS = `{range .items[*]}{.metadata.annotations.deployment\\.kubernetes\\.io/revision} {${TEMPLATE}.containers[0].image}{"\\n"}{end}`;
const JOB_LIMIT_MS = 300_000;

async function rollOut(request: TargetRequest, program: 'api' | 'worker' | 'callback'): Promise<Call[]> {
  return [
    kubectl(request, ['apply', '--filename', '-'], await loadManifest(`${program}.yaml`, request)),
    kubectl(request, ['rollout', 'status', `deployment/airlock-${program}`, '--timeout=300s']),
  ];
}

/** `kubectl wait` takes one condition: with `complete` it waits until its time limit even if the job has failed. */
function awaitMigration(request: TargetRequest): Call {
  const conditions = '--output=jsonpath={.status.conditions[?(@.status=="True")].type}';
  return {
    ...kubectl(request, ['get', 'job/airlock-migrate', conditions]),
    until: { done: /\bComplete\b/, failed: /\bFailed\b/, limitMs: JOB_LIMIT_MS },
    explain: kubectl(request, ['logs', 'job/airlock-migrate', '--tail=20']),
  };
}

const kubectl = ({ options }: TargetRequest, args: readonly string[], input?: string): Call => ({
  command: ['kubectl', '--namespace', options['namespace'] ?? '', ...args],
  ...(input === undefined ? {} : { input }),
});

async function loadManifest(name: string, request: TargetRequest): Promise<string> {
  const text = await readFile(`${FOLDER}/${name}`, 'utf8');
  return text
    .replaceAll('$ENVIRONMENT', request.environment)
    .replaceAll('$IMAGE_DIGEST', request.digest)
    .replaceAll('$API_IMAGE', request.image)
    .replaceAll('$CALLBACK_REPLICAS', hasCallback(request) ? '1' : '0');
}
