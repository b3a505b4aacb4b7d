import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../values/config-error.js';
import { loadConfig } from '../load/load-config.js';
import { renderEnvExample } from '../render/env-example.js';
import { setUpEnvFile } from './set-up-env-file.js';
import { FOLDER, type FolderContent, withFolder, withHeldPort } from '../testing/index.js';

const example = { '.env.example': renderEnvExample('development') };

describe('setUpEnvFile', () => {
  it('creates a valid .env with a separate password for each role', async () => {
    await withFolder(example, (folder) => {
      expect(setUpEnvFile(folder)).toEqual({ created: true });
      const { database } = loadConfig({ env: {}, cwd: folder });
      expect(database.app.password.reveal()).toMatch(/^[\w-]{32}$/);
      expect(database.migration?.password.reveal()).toMatch(/^[\w-]{32}$/);
      expect(database.migration?.password.equals(database.app.password)).toBe(false);
    });
  });

  it('makes it readable only by its owner, and leaves no other file', async () => {
    await withFolder(example, (folder) => {
      setUpEnvFile(folder);
      expect(statSync(`${folder}/.env`).mode & 0o777).toBe(0o600);
      expect(new Set(readdirSync(folder))).toEqual(new Set(['.airlock', '.env', '.env.example']));
      expect(readdirSync(`${folder}/.airlock`)).toEqual([]);
    });
  });

  it.each<{ what: string; entry: FolderContent[string] }>([
    { what: 'file', entry: 'MINE=1\n' },
    { what: 'dangling link', entry: { linkTo: 'gone' } },
    { what: 'folder', entry: FOLDER },
  ])('does not change a $what called .env', async ({ entry }) => {
    await withFolder({ ...example, '.env': entry }, (folder) => {
      expect(setUpEnvFile(folder)).toEqual({ created: false });
      const isFile = typeof entry === 'string';
      expect(isFile ? readFileSync(`${folder}/.env`, 'utf8') : entry).toBe(entry);
    });
  });

  it('keeps the placeholders in comments', async () => {
    await withFolder({ '.env.example': '# A=changethis\nB=changethis\n' }, (folder) => {
      setUpEnvFile(folder);
      expect(readFileSync(`${folder}/.env`, 'utf8')).toMatch(/^# A=changethis\nB=[\w-]{32}\n$/);
    });
  });

  it('reports the fix for a folder without an example', async () => {
    await withFolder({}, (folder) => expect(() => setUpEnvFile(folder)).toThrow(ConfigError));
  });

  it('creates one complete file when several run concurrently', async () => {
    await withFolder(example, async (folder) => {
      const source = new URL('./set-up-env-file.ts', import.meta.url).href;
      const hooks = new URL('../../../../tools/typescript.mjs', import.meta.url).href;
      const script = `import { setUpEnvFile } from '${source}'; console.log(String(setUpEnvFile('${folder}').created))`;
      const run = () =>
        promisify(execFile)(process.execPath, ['--import', hooks, '--input-type=module', '--eval', script]);
      const runs = await Promise.all([run(), run(), run(), run()]);
      expect(runs.map(({ stdout }) => stdout.trim()).sort()).toEqual(['false', 'false', 'false', 'true']);
      expect(loadConfig({ env: {}, cwd: folder }).file).toBe('.env');
    });
  });

  it('gives each of several clones separate ports, even concurrently, in every value with a port', async () => {
    await withClones((clones, environment) =>
      withHeldPort(async (held) => {
        const usual = example['.env.example'].replace('# PORT=8000', `# PORT=${held}`);
        for (const clone of clones) writeFileSync(join(clone, '.env.example'), usual);
        await Promise.all(clones.map((clone) => setUpElsewhere(clone, environment)));
        const chosen = clones.map((clone) => readPorts(clone));
        for (const ports of chosen) {
          expect(ports['DATABASE_URL']).toBe(ports['DATABASE_MIGRATION_URL']);
          expect(ports['PORT']).not.toBe(`${held}`);
        }
        const all = chosen.flatMap((ports) => [...new Set(Object.values(ports))]);
        expect(new Set(all).size).toBe(all.length);
      }),
    );
  });

  it('reuses the ports of a clone, and gives those of a removed clone to another', async () => {
    await withClones(async ([first = '', second = ''], environment) => {
      await setUpElsewhere(first, environment);
      const ports = readPorts(first);
      rmSync(join(first, '.env'));
      await setUpElsewhere(first, environment);
      expect(readPorts(first)).toEqual(ports);
      rmSync(first, { recursive: true });
      await setUpElsewhere(second, environment);
      expect(readPorts(second)).toEqual(ports);
    });
  });
});

const ROOT = new URL('../../../../', import.meta.url).pathname;

/** Three clones, and the home of a user without clones. */
async function withClones(use: (clones: string[], environment: NodeJS.ProcessEnv) => Promise<void>): Promise<void> {
  await withFolder({}, async (folder) => {
    const clones = ['one', 'two', 'three'].map((name) => join(folder, name));
    for (const clone of clones) {
      mkdirSync(join(clone, 'tools'), { recursive: true });
      writeFileSync(join(clone, '.env.example'), example['.env.example']);
      copyFileSync(join(ROOT, 'tools/choose-ports.sh'), join(clone, 'tools/choose-ports.sh'));
    }
    await use(clones, { PATH: '/usr/bin:/bin', HOME: folder });
  });
}

async function setUpElsewhere(root: string, env: NodeJS.ProcessEnv): Promise<void> {
  const source = new URL('./set-up-env-file.ts', import.meta.url).href;
  const script = `import { setUpEnvFile } from '${source}'; setUpEnvFile('${root}')`;
  const hooks = join(ROOT, 'tools/typescript.mjs');
  await promisify(execFile)(process.execPath, ['--import', hooks, '--input-type=module', '--eval', script], { env });
}

/** The ports by the names of their settings. Ports that are comments in .env have their defaults. */
function readPorts(root: string): Record<string, string> {
  const lines = readFileSync(join(root, '.env'), 'utf8').matchAll(
    /^(?:# )?([A-Z_]*PORT|DATABASE_URL|DATABASE_MIGRATION_URL)=(?:postgres:.*127\.0\.0\.1:)?(\d+)(?:\/.*)?$/gm,
  );
  return Object.fromEntries([...lines].map(([, name = '', port = '']) => [name, port]));
}
