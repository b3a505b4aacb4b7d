import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from './config-error.js';
import { loadConfig } from './load-config.js';
import { renderEnvExample } from './render/env-example.js';
import { setUpEnvFile } from './setup.js';
import { FOLDER, type FolderContent, withFolder } from './testing/index.js';

const example = { '.env.example': renderEnvExample('development') };

describe('setUpEnvFile', () => {
  it('makes a .env that loads, with a password of its own for each role', async () => {
    await withFolder(example, (folder) => {
      expect(setUpEnvFile(folder)).toEqual({ created: true });
      const { database } = loadConfig({ env: {}, cwd: folder });
      expect(database.app.password.reveal()).toMatch(/^[\w-]{32}$/);
      expect(database.migration?.password.reveal()).toMatch(/^[\w-]{32}$/);
      expect(database.migration?.password.equals(database.app.password)).toBe(false);
    });
  });

  it('makes it readable by its owner alone, and leaves nothing else behind', async () => {
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
  ])('leaves a $what called .env as it is', async ({ entry }) => {
    await withFolder({ ...example, '.env': entry }, (folder) => {
      expect(setUpEnvFile(folder)).toEqual({ created: false });
      const isFile = typeof entry === 'string';
      expect(isFile ? readFileSync(`${folder}/.env`, 'utf8') : entry).toBe(entry);
    });
  });

  it('leaves the placeholders in comments', async () => {
    await withFolder({ '.env.example': '# A=changethis\nB=changethis\n' }, (folder) => {
      setUpEnvFile(folder);
      expect(readFileSync(`${folder}/.env`, 'utf8')).toMatch(/^# A=changethis\nB=[\w-]{32}\n$/);
    });
  });

  it('says how to mend a folder without an example', async () => {
    await withFolder({}, (folder) => expect(() => setUpEnvFile(folder)).toThrow(ConfigError));
  });

  it('makes one complete file when several run at once', async () => {
    await withFolder(example, async (folder) => {
      const source = new URL('./setup.ts', import.meta.url).href;
      const hooks = new URL('../../../tools/typescript.mjs', import.meta.url).href;
      const script = `import { setUpEnvFile } from '${source}'; console.log(String(setUpEnvFile('${folder}').created))`;
      const run = () =>
        promisify(execFile)(process.execPath, ['--import', hooks, '--input-type=module', '--eval', script]);
      const runs = await Promise.all([run(), run(), run(), run()]);
      expect(runs.map(({ stdout }) => stdout.trim()).sort()).toEqual(['false', 'false', 'false', 'true']);
      expect(loadConfig({ env: {}, cwd: folder }).file).toBe('.env');
    });
  });
});
