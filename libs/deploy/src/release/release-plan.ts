import { loadComposeModel, type ComposeModel } from '../engine/compose-model.js';
import type { Fields } from '../engine/model-fields.js';
import type { Docker } from '../engine/docker.js';
import type { ImageReference } from '../engine/image-reference.js';
import { DeployError } from '../engine/deploy-error.js';
import { renderStack, type Stack } from '../render/render-stack.js';
import { assertSettingsReachStack } from './settings-file.js';
import { assertStackIsValid } from './stack-file.js';
import { loadSecretVersions } from './stack-secrets.js';

/** One image with one environment's configuration, ready to be handed to Swarm. */
export interface ReleasePlan {
  readonly stack: Stack;
  /** The services that run the image. */
  readonly appServices: readonly string[];
  /** The service that migrates: a job that the others wait for, run before them and no part of the stack. */
  readonly releaseJob: ReleaseJob | undefined;
  /** What the release job waits for in its turn: it makes roles, database and stamp, before the first release only. */
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
    // The overlays of Compose read secrets from a folder; docker/swarm.yml replaces that, but Compose wants a name first.
    SECRETS_DIR: '/var/empty',
  };
  assertSettingsReachStack(envFiles);
  const model = await loadComposeModel(docker, { files, envFiles, project: stackName, variables });
  const versions = await loadSecretVersions(docker, stackName);
  const plan = createReleasePlan(model, { image, stackName, environment, versions });
  await assertStackIsValid(docker, plan.stack);
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

/** What these services wait for until it has completed. */
function findAwaited(model: ComposeModel, names: readonly string[]): string[] {
  const waits = names.flatMap((name) =>
    Object.entries((model.services[name]?.['depends_on'] ?? {}) as Record<string, { condition: string }>),
  );
  const jobs = waits.filter(([, { condition }]) => condition === 'service_completed_successfully');
  return [...new Set(jobs.map(([name]) => name))];
}

/** An image cannot know its own digest; it is told at deploy, and `/version` answers it. */
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
  const strangers = Object.entries(services)
    .filter(([, service]) => service['image'] === image.name)
    .map(([name, service]) => [name, (service['environment'] as Fields)['ENVIRONMENT']] as const)
    .filter(([, said]) => said !== environment);
  const problems = [
    ...strangers.map(
      ([name, said]) => `services.${name}: ENVIRONMENT is ${JSON.stringify(said)}; expected "${environment}"`,
    ),
    ...(appServices.length === 0 ? [`services: none runs ${image.name}; expected image: \${API_IMAGE:?}`] : []),
    ...Object.entries(services).flatMap(([name, service]) => findUnfixedImage(name, String(service['image']))),
    ...appServices.flatMap((name) => findGap(name, services[name] ?? {})),
  ];
  if (problems.length === 0) return;
  throw new DeployError({ text: problems.join('\n'), mend: `mend the overlay of ${environment}` });
}

/** Swarm's own default ends the old replica before the new one has begun. */
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

/** The engine may hold any image under a tag; only the application's own must be fixed where others are not yet pinned. */
function findUnfixedImage(name: string, image: string): string[] {
  return /:latest$|(?:^|\/)[^/:@]+$/.test(image)
    ? [`services.${name}: image ${image} is whatever is newest; expected a tag or digest`]
    : [];
}
