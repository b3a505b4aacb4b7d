import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type DatabaseAddress, Secret } from '@airlock/config';
import { findFreePort, chooseIdentity, changeOwner } from '@airlock/embedded-postgres';

const DEBIAN = '/usr/lib/postgresql';
const PASSWORD = 'an0ther-p4ssword';

/** The program folder of an installed PostgreSQL package older than 18. */
export const oldPostgres = (existsSync(DEBIAN) ? readdirSync(DEBIAN) : [])
  .filter((version) => Number(version) < 18)
  .map((version) => join(DEBIAN, version, 'bin'))
  .find((folder) => existsSync(join(folder, 'initdb')));

/** Packages place the program outside of the search path of ordinary users. */
export const pgbouncer = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'].find(existsSync);

/** Runs a server of that version on a free port of this machine until `use` ends. */
export async function withOldPostgres<T>(use: (superuser: DatabaseAddress) => Promise<T>): Promise<T> {
  if (oldPostgres === undefined) throw new Error('PostgreSQL: none older than 18 here\n  apt-get install postgresql');
  return withOwnFolder({ password: PASSWORD }, async (folder) => {
    const dataDir = join(folder, 'data');
    const init = ['-D', dataDir, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${join(folder, 'password')}`];
    const { status, stderr } = run(join(oldPostgres, 'initdb'), [...init, '--no-sync', '--locale=C', '-E', 'UTF8']);
    if (status !== 0) throw new Error(`initdb: ended with ${status}: ${stderr}`);
    const port = await findFreePort();
    const options = ['-D', dataDir, '-p', `${port}`, '-c', 'listen_addresses=127.0.0.1', '-k', folder, '-F'];
    const address = { port, user: 'postgres', password: new Secret(PASSWORD), database: 'postgres' };
    return withProcess([join(oldPostgres, 'postgres'), ...options], 'ready to accept connections', () =>
      use({ ...address, host: '127.0.0.1', sslMode: 'disable' }),
    );
  });
}

export interface PgBouncerOptions {
  readonly address: Omit<DatabaseAddress, 'password'>;
  readonly password: string;
  readonly mode: 'session' | 'transaction';
  /** Lines of its configuration file, in addition to the required ones. */
  readonly settings: readonly string[];
  /** SQL that PgBouncer runs on each connection that it opens to the server. */
  readonly connectQuery?: string;
}

/** Runs a PgBouncer in front of one database until `use` ends. */
export async function withPgBouncer<T>(
  { address, password, mode, settings, connectQuery = 'SELECT 1' }: PgBouncerOptions,
  use: (pooled: DatabaseAddress) => Promise<T>,
): Promise<T> {
  const program = pgbouncer;
  if (program === undefined) throw new Error('pgbouncer: not installed\n  apt-get install pgbouncer');
  const port = await findFreePort();
  const { host, user, database } = address;
  const files = {
    'users.txt': `"${user}" "${password}"\n`,
    'pgbouncer.ini': [
      '[databases]',
      `${database} = host=${host} port=${address.port} dbname=${database} connect_query='${connectQuery.replaceAll("'", "''")}'`,
      '[pgbouncer]',
      `listen_addr = 127.0.0.1`,
      `listen_port = ${port}`,
      `unix_socket_dir =`,
      `auth_type = scram-sha-256`,
      `pool_mode = ${mode}`,
      ...settings,
      '',
    ].join('\n'),
  };
  return withOwnFolder(files, (folder) => {
    writeFileSync(join(folder, 'pgbouncer.ini'), `auth_file = ${join(folder, 'users.txt')}\n`, { flag: 'a' });
    return withProcess([program, join(folder, 'pgbouncer.ini')], 'process up', () =>
      use({ ...address, port, password: new Secret(password) }),
    );
  });
}

async function withOwnFolder<T>(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-server-'));
  changeOwner(chooseIdentity(), folder);
  try {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, name), content, { mode: 0o600 });
      changeOwner(chooseIdentity(), join(folder, name));
    }
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Both programs refuse to run as root. */
function run(program: string, args: readonly string[]): { status: number | null; stderr: string } {
  const [command = '', ...all] = [...chooseIdentity().prefix, program, ...args];
  return spawnSync(command, all, { encoding: 'utf8' });
}

async function withProcess<T>(words: readonly string[], ready: string, use: () => Promise<T>): Promise<T> {
  const [command = '', ...args] = [...chooseIdentity().prefix, ...words];
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  try {
    await waitForLine(child, ready);
    return await use();
  } finally {
    child.kill('SIGINT');
    await exited;
  }
}

/** Later output is read too: a full pipe would block the process. */
function waitForLine({ stderr }: ChildProcess, text: string): Promise<void> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    createInterface(stderr!)
      .on('line', (line) => (line.includes(text) ? resolve() : said.push(line)))
      .on('close', () => reject(new Error(`it ended; expected "${text}"\n${said.join('\n')}`)));
  });
}
