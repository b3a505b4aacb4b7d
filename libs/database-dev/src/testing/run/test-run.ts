import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DatabaseAddress, Secret } from '@airlock/config';
import { identifyProcess, CACHE_FOLDER } from '@airlock/embedded-postgres';
import type { SharedRole } from '../isolation/shared-roles.js';

interface Login {
  readonly user: string;
  readonly password: string;
}

/** Facts about the servers of a Jest run that its worker processes need. */
export interface TestRun {
  readonly id: string;
  readonly server: 'embedded' | 'external';
  readonly host: string;
  readonly port: number;
  /** May create databases and roles; connects to the database `maintenance`. */
  readonly admin: Login;
  readonly maintenance: string;
  readonly app: Login;
  readonly migrator: Login;
  readonly template: string;
  /** The roles before the first test of the run. */
  readonly roles: readonly SharedRole[];
  /** Other objects of the server before the first test of the run. */
  readonly serverObjects: readonly string[];
  readonly redisUrl: string | undefined;
  /** A missing Redis fails its specs instead of skipping them. */
  readonly isRedisRequired: boolean;
}

const FOLDER = join(CACHE_FOLDER, 'runs');

/** Found by Jest's process id: workers are its children, and a single worker is the process itself. */
export function saveTestRun(run: TestRun): void {
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  removeRecordsOfTheDead();
  writeFileSync(recordOf(process.pid), JSON.stringify(run), { mode: 0o600 });
}

export function loadTestRun(): TestRun | undefined {
  return readRecord(process.pid) ?? readRecord(process.ppid);
}

export function removeTestRun(): void {
  rmSync(recordOf(process.pid), { force: true });
}

export function toAddress(
  { host, port }: Pick<TestRun, 'host' | 'port'>,
  login: Login,
  database: string,
): DatabaseAddress {
  return { host, port, user: login.user, password: new Secret(login.password), database, sslMode: 'disable' };
}

function readRecord(pid: number): TestRun | undefined {
  try {
    return JSON.parse(readFileSync(recordOf(pid), 'utf8')) as TestRun;
  } catch {
    return undefined;
  }
}

/** An interrupted run could not remove its own record. */
function removeRecordsOfTheDead(): void {
  for (const name of readdirSync(FOLDER)) {
    if (!identifyProcess(Number.parseInt(name))) rmSync(join(FOLDER, name), { force: true });
  }
}

function recordOf(pid: number): string {
  return join(FOLDER, `${pid}.json`);
}
