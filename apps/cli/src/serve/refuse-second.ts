import type { Config } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { describeProcess, findFreePortAbove, findRunner, isPortFree, PortInUseError } from '@airlock/embedded-postgres';
import { findDatabaseOwner } from './announcement.js';
import { ROOT } from './workspace.js';

/** @throws if another command serves the workspace, or a port of the API is in use; names the process and the fix */
export async function refuseSecond(): Promise<void> {
  const owner = findDatabaseOwner();
  // Nx starts the database and this check at the same time: a database of the same command is not a second one.
  if (owner && findRunner(owner.pid)?.pid !== findRunner(process.pid)?.pid) throw refuseServed(owner.pid);
  await refuseHeldPorts();
}

/** A process of another project may use the port, so the fix is another port. */
export async function refuseHeldPorts(): Promise<void> {
  const { service } = readConfigIfValid() ?? {};
  if (!service) return;
  const { port, managementPort, host } = service;
  for (const [name, wanted] of Object.entries({ PORT: port, MANAGEMENT_PORT: managementPort })) {
    if (wanted === 0 || (await isPortFree(wanted, host))) continue;
    const free = await findFreePortAbove(Math.max(port, managementPort), host);
    throw new PortInUseError({ name, port: wanted, fix: `Set another port in .env: ${name}=${free}` });
  }
}

/** @throws if another process serves the workspace's database; names the process and the command that stops it */
export function refuseSecondDatabase(): void {
  const owner = findDatabaseOwner();
  if (owner) throw refuseServed(owner.pid);
}

/** @param pid of a command of this workspace, as announced; its child processes exit with it */
function refuseServed(pid: number): Error {
  const message = `${ROOT}: ${describeProcess(pid)} already serves this workspace; expected one server at a time.\nUse that server, or stop it: kill ${pid}`;
  return Object.assign(new Error(message), { exitCode: 1 });
}

/** Config errors are reported once, by the process of the database. */
function readConfigIfValid(): Config | undefined {
  try {
    return loadConfig({ cwd: ROOT });
  } catch {
    return undefined;
  }
}
