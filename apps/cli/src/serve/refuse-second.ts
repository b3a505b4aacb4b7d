import { type Config, loadConfig } from '@airlock/config';
import { describeProcess, findRunner, findStarter, isPortFree, PortInUseError } from '@airlock/database/embedded';
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
  throw new PortInUseError({ name: 'PORT', port: service.port, alternative: 'set another PORT in .env' });
}

/** @throws when another process serves the workspace's database: who started it, and how to stop it */
export function refuseSecondDatabase(): void {
  const owner = findDatabaseOwner();
  if (owner) throw refuseServed(owner.pid);
}

function refuseServed(pid: number): Error {
  const starter = findStarter(pid);
  const message = `${ROOT}: ${describeProcess(starter)} serves it already; expected one at a time.\nStop it: kill ${starter}`;
  return Object.assign(new Error(message), { exitCode: 1 });
}

/** What is wrong with the config is said once, by the database's side. */
function readConfigIfGood(): Config | undefined {
  try {
    return loadConfig({ cwd: ROOT });
  } catch {
    return undefined;
  }
}
