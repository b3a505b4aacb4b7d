import { type Config, loadConfig } from '@airlock/config';
import { findPortHolder, findRunner, findRunners, isPortFree, readCommandLine } from '@airlock/database/embedded';
import { findDatabaseOwner } from './announcement.js';
import { ROOT } from './workspace.js';

/** @throws when the port of the API is held or another command serves the workspace: by whom, and how to stop it */
export async function refuseSecond(): Promise<void> {
  await refuseHeldPort();
  const owner = findDatabaseOwner();
  // Nx starts the database and this check side by side: what the same command has just started is no second one.
  if (owner && findRunner(owner.pid)?.pid !== findRunner(process.pid)?.pid) throw refuseServed(owner.pid);
}

export async function refuseHeldPort(): Promise<void> {
  const { service } = readConfigIfGood() ?? {};
  if (!service || (await isPortFree(service.port, service.host))) return;
  const holder = findPortHolder(service.port);
  const cure = holder === undefined ? 'Stop it' : `Stop it: kill ${findStarter(holder)}`;
  throw refusal(
    `PORT ${service.port}: ${describeProcess(holder)} listens on it; expected a free port.\n${cure}, or set another PORT in .env.`,
  );
}

/** @throws when another process serves the workspace's database: who started it, and how to stop it */
export function refuseSecondDatabase(): void {
  const owner = findDatabaseOwner();
  if (owner) throw refuseServed(owner.pid);
}

function refuseServed(pid: number): Error {
  const starter = findStarter(pid);
  return refusal(
    `${ROOT}: ${describeProcess(starter)} serves it already; expected one at a time.\nStop it: kill ${starter}`,
  );
}

/** What is wrong with the config is said once, by the database's side. */
function readConfigIfGood(): Config | undefined {
  try {
    return loadConfig({ cwd: ROOT });
  } catch {
    return undefined;
  }
}

/** The make, nx or npm that would only start it again, or wait for it, is the one to stop. */
function findStarter(pid: number): number {
  return findRunners(pid).at(-1)?.pid ?? pid;
}

function describeProcess(pid: number | undefined): string {
  return pid === undefined ? 'another process' : `process ${pid} (${readCommandLine(pid)})`;
}

function refusal(message: string): Error {
  return Object.assign(new Error(message), { exitCode: 1 });
}
