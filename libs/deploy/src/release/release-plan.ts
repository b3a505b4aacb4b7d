import { loadComposeModel, type ComposeModel } from '../engine/compose-model.js';
import type { Fields } from '../engine/model-fields.js';
import type { Docker } from '../engine/docker.js';
import type { ImageReference } from '../engine/image-reference.js';
import { DeployError } from '../engine/deploy-error.js';
import { renderStack, type Stack } from '../render/render-stack.js';
import { assertSettingsReachStack } from './settings-file.js';
import { assertStackIsValid } from './stack-file.js';
import { assertNetworksAreClosed } from './stack-networks.js';
import { loadSecretVersions } from './stack-secrets.js';

/** One image with the configuration of one environment, ready for Swarm. */
export interface ReleasePlan {
  readonly stack: Stack;
  /** The services that run the image. */
  readonly appServices: readonly string[];
  /** The service that migrates: a job that runs before the services that wait for it. Not part of the stack. */
  readonly releaseJob: ReleaseJob | undefined;
  /** The job that the release job waits for. It creates roles, database and stamp, before the first release only. */
  readonly provisionJob: ReleaseJob | undefined;
  readonly secretVersions: Readonly<Record<string, string>>;
}

export interface ReleaseJob {
  readonly name: string;
  readonly service: Fields;
}

export interface PlanOptions {
  readonly environment: string;
  readonly stackName: string;
  readonly image: ImageReference;
  readonly files: readonly string[];
  readonly envFiles: readonly string[];
}

export async function loadReleasePlan(docker: Docker, options: PlanOptions): Promise<ReleasePlan> {
  const { image, stackName, files, envFiles, environment } = options;
  const variables = {
    API_IMAGE: image.name,
    API_REPOSITORY: `${image.registry}/${image.repository}`,
    IMAGE_DIGEST: image.digest,
    // Compose requires a value here. docker/swarm.yml then replaces the secrets that overlays read from this folder.
    SECRETS_DIR: '/var/empty',
  };
  assertSettingsReachStack(options);
  const model = await loadComposeModel(docker, { files, envFiles, project: stackName, variables });
  const versions = await loadSecretVersions(docker, stackName);
  const plan = createReleasePlan(model, { image, stackName, environment, versions });
  await assertStackIsValid(docker, plan.stack);
  await assertNetworksAreClosed(docker, stackName, plan.stack);
  return plan;
}

export function createReleasePlan(
  model: ComposeModel,
  options: {
    readonly image: ImageReference;
    readonly stackName: string;
    readonly environment: string;
    readonly versions: Readonly<Record<string, string>>;
  },
): ReleasePlan {
  const { image, stackName, environment, versions } = options;
  const used = Object.fromEntries(Object.entries(versions).filter(([key]) => key in (model.secrets ?? {})));
  const rendered = renderStack(model, { stack: stackName, secretVersions: used });
  const jobs = findAwaited(model, Object.keys(model.services));
  const services = Object.fromEntries(
    Object.entries(rendered.services).map(([name, service]) => [name, withIdentity(service, image)]),
  );
  const running = Object.entries(services).filter(([name]) => !jobs.includes(name));
  const stack = { ...rendered, services: Object.fromEntries(running) };
  const appServices = running.filter(([, { image: used }]) => used === image.name).map(([name]) => name);
  const toJob = (name: string | undefined) =>
    name === undefined ? undefined : { name, service: services[name] ?? {} };
  const releaseJob = toJob(findAwaited(model, appServices)[0]);
  const provisionJob = releaseJob && toJob(findAwaited(model, [releaseJob.name])[0]);
  assertBelongs({ services, appServices, environment, image });
  return { stack, appServices, releaseJob, provisionJob, secretVersions: used };
}

/**
 * The services of the image that serve HTTP, judged by their health check: it is the image's, which asks their port. That of a
 * worker asks another port.
 */
export function listHttpServices({ appServices, stack }: AppServices): string[] {
  return appServices.filter((name) => {
    const check = (stack.services[name]?.['healthcheck'] ?? {}) as HealthCheck;
    if (check.disable === true || check.test?.[0] === 'NONE') return false;
    return check.test === undefined || check.test.join(' ').endsWith('/app/healthcheck.mjs');
  });
}

export type AppServices = Pick<ReleasePlan, 'appServices'> & { readonly stack: Pick<Stack, 'services'> };

interface HealthCheck {
  readonly disable?: boolean;
  readonly test?: readonly string[];
}

/** The services that must complete before these services start. */
function findAwaited(model: ComposeModel, names: readonly string[]): string[] {
  const waits = names.flatMap((name) =>
    Object.entries((model.services[name]?.['depends_on'] ?? {}) as Record<string, { condition: string }>),
  );
  const jobs = waits.filter(([, { condition }]) => condition === 'service_completed_successfully');
  return [...new Set(jobs.map(([name]) => name))];
}

/** An image cannot contain its own digest. The deploy sets it, and `/version` returns it. */
function withIdentity(service: Fields, image: ImageReference): Fields {
  if (service['image'] !== image.name) return service;
  return { ...service, environment: { ...(service['environment'] as Fields), IMAGE_DIGEST: image.digest } };
}

function assertBelongs(plan: {
  services: Readonly<Record<string, Fields>>;
  appServices: readonly string[];
  environment: string;
  image: ImageReference;
}): void {
  const { services, appServices, environment, image } = plan;
  const mismatched = Object.entries(services)
    .filter(([, service]) => service['image'] === image.name)
    .map(([name, service]) => [name, (service['environment'] as Fields)['ENVIRONMENT']] as const)
    .filter(([, said]) => said !== environment);
  const problems = [
    ...mismatched.map(
      ([name, said]) => `services.${name}: ENVIRONMENT is ${JSON.stringify(said)}; expected "${environment}"`,
    ),
    ...(appServices.length === 0 ? [`services: none runs ${image.name}; expected image: \${API_IMAGE:?}`] : []),
    ...Object.entries(services).flatMap(([name, service]) => findUnpinnedImage(name, String(service['image']))),
    ...(appServices.length > 0 && listHttpServices({ appServices, stack: { services } }).length === 0
      ? [
          `services.${appServices[0] ?? ''}: has another health check than the image; expected one service that serves HTTP`,
        ]
      : []),
    ...appServices.flatMap((name) => findGap(name, services[name] ?? {})),
  ];
  if (problems.length === 0) return;
  throw new DeployError({ text: problems.join('\n'), fix: `correct the overlay of ${environment}` });
}

/** By default Swarm stops the old replica before it starts the new one. */
function findGap(name: string, service: Fields): string[] {
  const { update_config: update } = (service['deploy'] ?? {}) as { update_config?: Fields };
  const wanted = { order: 'start-first', failure_action: 'rollback' };
  return Object.entries(wanted)
    .filter(([key, value]) => update?.[key] !== value)
    .map(([key, value]) => {
      const where = `services.${name}.deploy.update_config.${key}`;
      return `${where}: is ${JSON.stringify(update?.[key] ?? 'not set')}; expected ${value}`;
    });
}

/** Without a tag, or with `latest`, the image may be a different one at each deploy. */
function findUnpinnedImage(name: string, image: string): string[] {
  return /:latest$|(?:^|\/)[^/:@]+$/.test(image)
    ? [`services.${name}: image ${image} can change between deploys; expected a version tag or a digest`]
    : [];
}
