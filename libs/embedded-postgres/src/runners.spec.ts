import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { skipUnless } from '@airlock/config/testing';
import { identifyProcess, readParentPid } from './process-identity.js';
import { watchRunners } from './runners.js';

const hasScript = spawnSync('script', ['--version']).status === 0;
const itOnTerminal = skipUnless(hasScript && process.platform === 'linux', it, 'no `script` of util-linux');
const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

let folder: string;
let log: string;
let started: number[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airlock-runners-'));
  log = join(folder, 'log');
  started = [];
  const command = [
    process.execPath,
    '--import',
    pathOf('../../../tools/typescript.mjs'),
    pathOf('./runners.fixture.ts'),
  ];
  // In a separate session, as Nx starts its tasks: the terminal's SIGHUP does not reach it.
  writeFileSync(join(folder, 'Makefile'), `dev:\n\t@setsid --wait ${command.join(' ')} >${log}\n`);
});

afterEach(() => {
  // Closing a terminal has ended its processes; the others are ended here.
  for (const pid of started) if (identifyProcess(pid)) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  // Ends the loops of a test that timed out.
  folder = '';
});

describe(watchRunners.name, () => {
  itOnTerminal.each(["bash -c 'make dev'", 'make dev', "bash -c 'make dev; true'", "sh -c 'exec make dev'"])(
    'ends when the terminal of %s is closed',
    async (command) => {
      const terminal = startOnTerminal(command);
      const { pid, make } = await untilRunning();
      process.kill(terminal, 'SIGKILL');
      await untilEnded(pid);
      await untilEnded(make);
    },
  );

  itOnTerminal('keeps running when the terminal is closed and nohup was used', async () => {
    const terminal = startOnTerminal('nohup make dev');
    const { pid, make } = await untilRunning();
    process.kill(terminal, 'SIGKILL');
    await untilEnded(terminal);
    await sleep(1000);
    expect(identifyProcess(pid)).toBeDefined();
    process.kill(make, 'SIGKILL');
    await untilEnded(pid);
  });

  it.each(['SIGHUP', 'SIGKILL'] as const)('ends when make alone has received %s', async (signal) => {
    const child = startApart('make dev');
    const { pid } = await untilRunning();
    process.kill(child, signal);
    await untilEnded(pid);
  });
});

/** `script` holds the other end of the terminal, as a window does; killing it closes the terminal. */
function startOnTerminal(command: string): number {
  return startApart(`script -qec "${command}" /dev/null`);
}

/** Not a child of our processes: an Nx that runs these tests would be taken for its runner. @returns its pid */
function startApart(command: string): number {
  const line = `setsid ${command} </dev/null >/dev/null 2>&1 & echo $!`;
  const { stdout } = spawnSync('/bin/sh', ['-c', line], { cwd: folder, encoding: 'utf8' });
  return Number(stdout);
}

async function untilRunning(): Promise<{ pid: number; make: number }> {
  for (const own = folder; own === folder;) {
    const [, pid] = /runs as (\d+)/.exec(readLog()) ?? [];
    if (pid !== undefined) return findMake(Number(pid));
    await sleep(20);
  }
  throw new Error(`The test ended before the command ran; its log: ${readLog()}`);
}

function findMake(pid: number): { pid: number; make: number } {
  let make = pid;
  while (readName(make) !== 'make') make = readParentPid(make) ?? 0;
  started.push(pid, make);
  return { pid, make };
}

function readName(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
}

function readLog(): string {
  try {
    return readFileSync(log, 'utf8');
  } catch {
    return '';
  }
}

async function untilEnded(pid: number): Promise<void> {
  for (const own = folder; own === folder && identifyProcess(pid);) await sleep(20);
}
