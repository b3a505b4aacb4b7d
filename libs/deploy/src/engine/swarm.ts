import type { Docker } from './docker.js';
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
  if (stdout === undefined) return undefined;
  const [service] = JSON.parse(stdout) as InspectedService[];
  if (!service) return undefined;
  const { UpdateStatus: update, Spec: spec } = service;
  return {
    id: service.ID,
    name: spec.Name,
    image: spec.TaskTemplate.ContainerSpec.Image,
    replicas: spec.Mode.Replicated?.Replicas ?? 1,
    version: service.Version.Index,
    update: update && { state: update.State, startedAt: update.StartedAt, message: update.Message },
  };
}

export async function listTasks(docker: Docker, service: string): Promise<Task[]> {
  const stdout = await docker.find(['service', 'ps', '--quiet', '--no-trunc', service]);
  const ids = (stdout ?? '').split('\n').filter((id) => id !== '');
  if (ids.length === 0) return [];
  // Swarm may drop a task between the two calls; the other tasks are still returned.
  const inspected = await docker.attempt(['inspect', '--type', 'task', ...ids]);
  const tasks = JSON.parse(inspected.stdout || '[]') as InspectedTask[];
  return tasks.map((task) => ({
    id: task.ID,
    slot: String(task.Slot ?? task.NodeID),
    image: task.Spec.ContainerSpec.Image,
    desired: task.DesiredState,
    state: task.Status.State,
    error: task.Status.Err ?? '',
    exitCode: task.Status.ContainerStatus?.ExitCode,
  }));
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
