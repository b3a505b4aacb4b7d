import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** Below the ports of outgoing connections, which could otherwise take the port before the server does. */
const [LOWEST, HIGHEST] = [10_240, 32_767];

export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    if ((await tryToListen(port, LOOPBACK)) === undefined) return port;
  }
}

/**
 * A port that this process may not use, or of an address of another machine, is free too: no process holds it.
 *
 * @param host the address to listen on, as in HOST
 */
export async function isPortFree(port: number, host = LOOPBACK): Promise<boolean> {
  return (await tryToListen(port, host)) !== 'EADDRINUSE';
}

/** @returns the code of the error */
async function tryToListen(port: number, host: string): Promise<string | undefined> {
  const server = createServer();
  const code = await new Promise<string | undefined>((resolve) => {
    const onError = ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown');
    server.once('error', onError).listen(port, host, () => resolve(undefined));
  });
  await new Promise((resolve) => server.close(resolve));
  return code;
}

/** @returns the first free port above `port`, for a suggestion that can be pasted */
export async function findFreePortAbove(port: number, host = LOOPBACK): Promise<number> {
  for (let candidate = port + 1; candidate < port + 100; candidate += 1) {
    if ((await tryToListen(candidate, host)) === undefined) return candidate;
  }
  return findFreePort();
}

/** The process that listens on the port, if the system shows it. */
export function findPortHolder(port: number): number | undefined {
  try {
    if (process.platform === 'linux') return findSocketOwner(findListeningInodes(port));
    return Number(
      execFileSync('lsof', ['-nP', '-t', `-iTCP:${port}`, '-sTCP:LISTEN'], { encoding: 'utf8' }).split('\n')[0],
    );
  } catch {
    return undefined;
  }
}

function findListeningInodes(port: number): Set<string> {
  const LISTEN = '0A';
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => readFileSync(table, 'utf8').split('\n').slice(1));
  const fields = rows.map((row) => row.trim().split(/\s+/));
  const listening = fields.filter((field) => field[1]?.endsWith(suffix) && field[3] === LISTEN);
  return new Set(listening.map((field) => `socket:[${field[9] ?? ''}]`));
}

function findSocketOwner(sockets: Set<string>): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).find((pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`)));
    } catch {
      return false;
    }
  });
}
