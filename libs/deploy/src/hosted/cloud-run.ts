import {
  CALLBACK_OPTION,
  hasCallback,
  releaseVariables,
  shortName,
  type HostedTarget,
  type TargetRequest,
} from './target.js';

/**
 * Google Cloud Run: the job migrates, the new revision starts without traffic, then all traffic moves to it, then the
 * worker and the callback change.
 */
export const cloudRun: HostedTarget = {
  name: 'cloud-run',
  options: {
    service:
      'the service of this environment; its job is named <service>-migrate, its other services <service>-worker and <service>-callback',
    project: 'the Google Cloud project',
    region: 'its region',
    registry: 'optional: <region>-docker.pkg.dev/…/api to copy the image to first; Cloud Run cannot pull from GHCR',
    ...CALLBACK_OPTION,
  },
  createCalls(request) {
    const { service = '' } = request.options;
    const job = `${service}-migrate`;
    const image = ['--image', request.image, '--update-env-vars', variablesOf(request)];
    return [
      gcloud(request, 'jobs', 'update', job, ...image),
      gcloud(request, 'jobs', 'execute', job, '--wait'),
      gcloud(request, 'deploy', service, ...image, '--no-traffic', '--tag', shortName(request)),
      gcloud(request, 'services', 'update-traffic', service, '--to-tags', `${shortName(request)}=100`),
      gcloud(request, 'services', 'update', `${service}-worker`, ...image),
      ...(hasCallback(request) ? [gcloud(request, 'services', 'update', `${service}-callback`, ...image)] : []),
    ];
  },
};

function gcloud({ options }: TargetRequest, ...args: string[]) {
  const where = ['--project', options['project'] ?? '', '--region', options['region'] ?? '', '--quiet'];
  return { command: ['gcloud', 'run', ...args, ...where] as [string, ...string[]] };
}

const variablesOf = (request: TargetRequest): string =>
  Object.entries(releaseVariables(request))
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
