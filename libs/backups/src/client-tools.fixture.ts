import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAJOR = 18;
const IMAGE = 'postgres:18-trixie';
const SCRIPT = fileURLToPath(new URL('../../../docker/bundle-clients.sh', import.meta.url));
const CACHE = fileURLToPath(new URL(`../../../node_modules/.cache/airlock/clients-${MAJOR}`, import.meta.url));
const FOLDERS = [CACHE, `/usr/lib/postgresql/${MAJOR}/bin`, `/opt/homebrew/opt/postgresql@${MAJOR}/bin`];

/** The folder of pg_dump and pg_restore 18: of this machine, or taken from the image that the stacks run. */
export function findClientTools(): string | undefined {
  return FOLDERS.find(isUsable) ?? takeFromImage();
}

function isUsable(folder: string): boolean {
  const program = join(folder, 'pg_restore');
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return existsSync(program) && stdout?.includes(` ${MAJOR}.`);
}

/** As docker/api.Dockerfile does. */
function takeFromImage(): string | undefined {
  if (process.platform !== 'linux' || spawnSync('docker', ['image', 'inspect', IMAGE]).status !== 0) return undefined;
  const script = 'cat >/tmp/bundle && sh /tmp/bundle /tmp/clients && tar -c -C /tmp/clients .';
  const bundle = spawnSync('docker', ['run', '--rm', '-i', IMAGE, 'sh', '-c', script], {
    input: readFileSync(SCRIPT),
    maxBuffer: 200_000_000,
  });
  if (bundle.status !== 0) return undefined;
  mkdirSync(join(CACHE, '..'), { recursive: true });
  const folder = mkdtempSync(`${CACHE}-`);
  spawnSync('tar', ['-x', '-C', folder], { input: bundle.stdout });
  chmodSync(folder, 0o755);
  try {
    renameSync(folder, CACHE);
  } catch {
    // Another spec was faster.
    rmSync(folder, { recursive: true });
  }
  return isUsable(CACHE) ? CACHE : undefined;
}

/** A folder of programs that a spec writes. */
export function createToolFolder(): string {
  return mkdtempSync(join(tmpdir(), 'airlock-tools-'));
}
