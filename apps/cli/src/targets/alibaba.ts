import { readFile } from 'node:fs/promises';
import { type Call, type Target, type TargetRequest } from './target.js';

const FOLDER = 'docker/deploy/alibaba';

/** Alibaba Cloud ACK, or any other Kubernetes: a job migrates, then the deployment rolls, one surplus pod at a time. */
export const alibaba: Target = {
  name: 'alibaba',
  options: {
    namespace: 'the Kubernetes namespace of this environment',
    registry: 'optional: the ACR repository, where the image is copied first',
  },
  async createCalls(request) {
    return [
      kubectl(request, ['delete', 'job/airlock-migrate', '--ignore-not-found', '--wait']),
      kubectl(request, ['apply', '--filename', '-'], await loadManifest('migrate.yaml', request)),
      kubectl(request, ['wait', 'job/airlock-migrate', '--for=condition=complete', '--timeout=300s']),
      kubectl(request, ['apply', '--filename', '-'], await loadManifest('api.yaml', request)),
      kubectl(request, ['rollout', 'status', 'deployment/airlock-api', '--timeout=300s']),
    ];
  },
  createUndo: (request) => [kubectl(request, ['rollout', 'undo', 'deployment/airlock-api'])],
};

const kubectl = ({ options }: TargetRequest, args: readonly string[], input?: string): Call => ({
  command: ['kubectl', '--namespace', options['namespace'] ?? '', ...args],
  ...(input === undefined ? {} : { input }),
});

async function loadManifest(name: string, { environment, image, digest }: TargetRequest): Promise<string> {
  const text = await readFile(`${FOLDER}/${name}`, 'utf8');
  return text
    .replaceAll('$ENVIRONMENT', environment)
    .replaceAll('$IMAGE_DIGEST', digest)
    .replaceAll('$API_IMAGE', image);
}
