import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProcessEnvironment } from '@airlock/config';

/** Begins the names of folders of servers. Six letters follow. */
export const PREFIX = 'airlock-restored-';
/** Made by the guard of a folder, which holds its lock: a folder without this file is not ours to remove. */
const MARK = 'airlock-restored.lock';
/** PostgreSQL refuses to run as root. This user owns nothing else. */
const NOBODY = 65_534;

/** The user that the server runs as; undefined for that of this process. */
export const serverUser = () => (process.getuid?.() === 0 ? NOBODY : undefined);

/**
 * FOLDER RUN INITDB POSTGRES: creates a cluster in the folder, runs its server, and ends both and removes the folder as
 * soon as the other end of our input is closed, which the system does however its process has ended.
 */
const GUARD = `
  folder=$1 run=$2
  trap : INT HUP TERM
  trap '' PIPE
  cd -- "$folder" || exit
  exec 3<&0 5>&1 9>mark.new </dev/null >log 2>&1
  if command -v flock; then flock -n 9 || exit; fi
  mv mark.new ${MARK}
  if $run "$3" --pgdata=data --username=postgres --pwfile=password --auth=scram-sha-256 --encoding=UTF8 --locale=C \\
    --locale-provider=builtin --builtin-locale=C.UTF-8 --no-sync --set=dynamic_shared_memory_type=mmap 3<&- 5>&- 9>&-
  then
    rm -f password
    $run "$4" -D "$folder/data" -c listen_addresses= -c "unix_socket_directories=\\"$folder\\"" -c unix_socket_permissions=0700 \\
      -c port=5432 -c max_connections=20 -c shared_buffers=64MB -c timezone=UTC -c log_timezone=UTC \\
      -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c archive_mode=off -c wal_level=minimal \\
      -c max_wal_senders=0 -c max_logical_replication_workers=0 -c max_prepared_transactions=0 3<&- 5>&- 9>&- &
    server=$!
    # A shell starts it with this signal ignored, so the first ones may be lost.
    { cat <&3; while kill -s QUIT $server; do sleep 0.1; done; } &
    reader=$!
    # A trapped signal interrupts it.
    while kill -0 $server; do wait $server; done
    kill -s KILL $reader
  fi
  echo ended >&5
  cat <&3
  cd /
  rm -rf -- "$folder"`;

/** FOLDER: removes it, with a server that has lost its guard, unless a guard holds its lock. */
const REMOVE = `
  exec 9<"$1/${MARK}" || exit
  command -v flock && flock -n 9 || exit
  # A pipe in its place would never answer.
  [ -f "$1/data/postmaster.pid" ] && read -r pid <"$1/data/postmaster.pid" || pid=
  for signal in QUIT KILL; do
    polls=0
    while [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$1/data" ] && [ $polls -lt 500 ]; do
      [ $polls -gt 0 ] || kill -s $signal "$pid"
      polls=$((polls + 1))
      sleep 0.02
    done
  done
  rm -rf -- "$1"`;

export interface ThrowAwayServer {
  /** Ends with the server. Until `stop`, its log stays. */
  readonly ended: Promise<void>;
  readLog(): string;
  /** Resolves when the server has ended and its folder is removed. */
  stop(): Promise<void>;
}

/** @param tools the folder of the programs; the search path by default */
export function startThrowAway(folder: string, tools: string | undefined): ThrowAwayServer {
  const pathOf = (name: string) => (tools === undefined ? name : join(tools, name));
  const run = serverUser() === undefined ? '' : `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups`;
  const guard = spawn('/bin/sh', ['-c', GUARD, 'guard', folder, run, pathOf('initdb'), pathOf('postgres')], {
    // A signal to the terminal's processes is for the command only.
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: createEnvironment(),
  });
  const exited = once(guard, 'exit');
  guard.stdin.on('error', () => undefined);
  return {
    ended: Promise.race([once(guard.stdout, 'data'), exited]).then(() => undefined),
    readLog: () => readFileSync(join(folder, 'log'), 'utf8'),
    async stop() {
      guard.stdin.end();
      await exited;
      // Only if the guard was killed.
      removeFolder(folder);
    },
  };
}

/** Removes what processes left that ended together with their guards, as in a power cut. */
export function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent))
    if (name.startsWith(PREFIX) && name.length === PREFIX.length + 6) removeFolder(join(parent, name));
}

/** Never a link, a folder without our mark, one of another user, or one that a guard holds. */
function removeFolder(folder: string): void {
  const [stats, mark] = [folder, join(folder, MARK)].map((path) => lstatSync(path, { throwIfNoEntry: false }));
  if (!stats?.isDirectory() || !mark?.isFile() || stats.uid !== (serverUser() ?? process.getuid?.())) return;
  spawnSync('/bin/sh', ['-c', REMOVE, 'remove', folder], { stdio: 'ignore', env: createEnvironment() });
}

function createEnvironment(): Record<string, string> {
  return { PATH: readProcessEnvironment()['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC', HOME: '/nonexistent' };
}
