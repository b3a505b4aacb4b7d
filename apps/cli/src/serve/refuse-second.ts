import type { Config } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { describeProcess, findFreePortAbove, findRunner, isPortFree, PortInUseError } from '@airlock/embedded-postgres';
import { findDatabaseOwner } from './announcement.js';
import { ROOT } from './workspace.js';

/** @throws when another command serves the workspace or a port of the API is held: by whom, and what to do */
export async function refuseSecond(): Promise<void> {
  const owner = findDatabaseOwner();
  // Nx starts the database and this check side by side: what the same command has just started is no second one.
  if (owner && findRunner(owner.pid)?.pid !== findRunner(process.pid)?.pid) throw refuseServed(owner.pid);
  await refuseHeldPorts();
}

/** The one who holds a port may be another project's: the cure is another port. */
export async function refuseHeldPorts(): Promise<void> {
  const { service } = readConfigIfGood() ?? {};
  if (!service) return;
  const { port, managementPort, host } = service;
  for (const [name, wanted] of Object.entries({ PORT: port, MANAGEMENT_PORT: managementPort })) {
    if (wanted === 0 || (await isPortFree(wanted, host))) continue;
    const free = await findFreePortAbove(Math.max(port, managementPort), host);
    throw new PortInUseError({ name, port: wanted, fix: `Set another one in .env: ${name}=${free}` });
  }
}

/** @throws when another process serves the workspace's database: which one, and how to stop it */
export function refuseSecondDatabase(): void {
  const owner = findDatabaseOwner();
  if (owner) throw refuseServed(owner.pid);
}

/** @param pid of a command of this very workspace, as it has itself announced; all that it started ends with it */
function refuseServed(pid: number): Error {
  const message = `${ROOT}: ${describeProcess(pid)} serves it already; expected one at a time.\nUse that one, or stop it: kill ${pid}`;
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
