import { isAbsence, type Docker } from './docker.js';
import { DeployError } from './deploy-error.js';

/** The state of a service in Swarm, reduced to the fields that a deploy uses. */
export interface ServiceState {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly replicas: number;
  /** Increases with every change of the service, also with changes by Swarm itself. */
  readonly version: number;
  /** Undefined until the first update. */
  readonly update: { readonly state: UpdateState; readonly startedAt: string; readonly message: string } | undefined;
}

export type UpdateState =
  'updating' | 'paused' | 'completed' | 'rollback_started' | 'rollback_paused' | 'rollback_completed';

export interface Task {
  readonly id: string;
  readonly slot: string;
  readonly image: string;
  readonly desired: string;
  readonly state: string;
  readonly error: string;
  readonly exitCode: number | undefined;
}

/** A service with its tasks, the newest of each slot first. */
export interface ObservedService {
  readonly state: ServiceState;
  readonly tasks: readonly Task[];
}

interface InspectedService {
  ID: string;
  Version: { Index: number };
  Spec: {
    Name: string;
    TaskTemplate: { ContainerSpec: { Image: string } };
    Mode: { Replicated?: { Replicas: number }; ReplicatedJob?: unknown; Global?: unknown };
  };
  UpdateStatus?: { State: UpdateState; StartedAt: string; Message: string };
}

interface InspectedTask {
  ID: string;
  ServiceID: string;
  Slot?: number;
  NodeID?: string;
  DesiredState: string;
  Spec: { ContainerSpec: { Image: string } };
  Status: { State: string; Err?: string; Message?: string; ContainerStatus?: { ExitCode?: number } };
}

export async function assertSwarmManager(docker: Docker): Promise<void> {
  const state = (
    await docker.run(['info', '--format', '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}'])
  ).trim();
  if (state === 'active true') return;
  throw new DeployError({
    text: `engine: Swarm is ${state.split(' ')[0] ?? 'unknown'} on this engine; expected a Swarm manager`,
    fix: 'on a new host: docker swarm init; otherwise name the manager: --context NAME',
  });
}

/** Undefined if the service does not exist. Throws if the engine does not respond. */
export async function readService(docker: Docker, name: string): Promise<ServiceState | undefined> {
  const stdout = await docker.find(['service', 'inspect', name]);
  const [service] = JSON.parse(stdout ?? '[]') as InspectedService[];
  return service && toServiceState(service);
}

/**
 * The services of these names that exist, in three calls for any number of them: each call costs a process, and on another
 * host a connection. Throws where the engine does not answer.
 */
export async function observeServices(
  docker: Docker,
  names: readonly string[],
): Promise<ReadonlyMap<string, ObservedService>> {
  if (names.length === 0) return new Map();
  const services = JSON.parse(
    (await listPresent(docker, ['service', 'inspect', ...names])) || '[]',
  ) as InspectedService[];
  const tasks = await inspectTasks(
    docker,
    services.map(({ ID }) => ID),
  );
  return new Map(
    services.map((service) => {
      const own = tasks.filter(({ ServiceID }) => ServiceID === service.ID).map(toTask);
      return [service.Spec.Name, { state: toServiceState(service), tasks: own }];
    }),
  );
}

async function inspectTasks(docker: Docker, services: readonly string[]): Promise<InspectedTask[]> {
  if (services.length === 0) return [];
  const stdout = await listPresent(docker, ['service', 'ps', '--quiet', '--no-trunc', ...services]);
  const ids = stdout.split('\n').filter((id) => id !== '');
  if (ids.length === 0) return [];
  // The engine may forget a task between the two calls; it answers for the others.
  return JSON.parse((await listPresent(docker, ['inspect', '--type', 'task', ...ids])) || '[]') as InspectedTask[];
}

/** The engine prints what it has, and exits with 1 where one of the names is unknown. */
async function listPresent(docker: Docker, args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await docker.attempt(args);
  const complaints = stderr.split('\n').filter((line) => line.trim() !== '');
  if (status === 0 || (complaints.length > 0 && complaints.every(isAbsence))) return stdout;
  throw new DeployError({
    text: `docker ${args.slice(0, 2).join(' ')}: exit ${status}: ${complaints.slice(-3).join(' / ')}`,
    fix: 'try: docker info',
  });
}

function toServiceState({ ID, Spec: spec, Version, UpdateStatus: update }: InspectedService): ServiceState {
  return {
    id: ID,
    name: spec.Name,
    image: spec.TaskTemplate.ContainerSpec.Image,
    replicas: spec.Mode.Replicated?.Replicas ?? 1,
    version: Version.Index,
    update: update && { state: update.State, startedAt: update.StartedAt, message: update.Message },
  };
}

function toTask(task: InspectedTask): Task {
  return {
    id: task.ID,
    slot: String(task.Slot ?? task.NodeID),
    image: task.Spec.ContainerSpec.Image,
    desired: task.DesiredState,
    state: task.Status.State,
    error: task.Status.Err ?? '',
    exitCode: task.Status.ContainerStatus?.ExitCode,
  };
}

/** The full names of the services of a stack. */
export async function listServices(docker: Docker, stack: string): Promise<string[]> {
  const filter = `label=com.docker.stack.namespace=${stack}`;
  const text = await docker.run(['service', 'ls', '--filter', filter, '--format', '{{.Name}}']);
  return text.split('\n').filter((name) => name !== '');
}

export function isRunning(task: Task): boolean {
  return task.state === 'running' && task.desired === 'running';
}

/** Marks the versions of the secrets of one stack. */
export const SECRET_STACK_LABEL = 'airlock.secret.stack';
