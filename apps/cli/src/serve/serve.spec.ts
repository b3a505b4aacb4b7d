import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { findFreePorts, withHeldPort } from '@airlock/config/testing';
import { isPortFree } from '@airlock/embedded-postgres';
import { model } from '@airlock/model';
import { ScratchWorkspace } from './scratch-workspace.fixture.js';

const LIMIT_MS = 120_000;
const SOURCE = 'libs/service/src/app/version.ts';
const rename = (name: string) => (source: string) => source.replace('name: service.name', `name: '${name}'`);

let workspace: ScratchWorkspace;

beforeAll(async () => {
  workspace = await ScratchWorkspace.create();
}, LIMIT_MS);

afterAll(() => workspace.remove(), LIMIT_MS);

describe('the API in development', () => {
  beforeAll(() => workspace.start(), LIMIT_MS);
  afterAll(() => workspace.stop(), LIMIT_MS);
  beforeEach(() => void (workspace.output = ''));

  it(
    'serves an edit without a manual step',
    async () => {
      await workspace.withEdit(SOURCE, rename('edited'), async () => {
        await workspace.until(async () => (await workspace.get('/version'))?.includes('"edited"') ?? false);
        expect(workspace.output).toContain(`edited ${SOURCE}`);
      });
    },
    LIMIT_MS,
  );

  it(
    'serves every save, also after the file was replaced and while its folder is recreated',
    async () => {
      const version = readFileSync(join(workspace.root, SOURCE), 'utf8');
      for (const name of ['first', 'second', 'third']) {
        workspace.replace(SOURCE, () => rename(name)(version));
        await workspace.until(() => isServed(name));
      }
      workspace.edit(SOURCE, () => rename('in-place')(version));
      await workspace.until(() => isServed('in-place'));
      const [folder, aside] = ['apps/api/src', 'aside'].map((path) => join(workspace.root, path));
      renameSync(folder ?? '', aside ?? '');
      await workspace.until(() => workspace.output.includes('The API did not start (exit code 1).'));
      renameSync(aside ?? '', folder ?? '');
      await workspace.until(() => isServed('in-place'));
      workspace.edit(SOURCE, () => version);
      await workspace.settle();
    },
    LIMIT_MS,
  );

  it(
    'serves the last of several saves that come while it restarts',
    async () => {
      const version = readFileSync(join(workspace.root, SOURCE), 'utf8');
      for (const name of ['one', 'two', 'three', 'four']) {
        workspace.edit(SOURCE, () => rename(name)(version));
        await sleep(200);
      }
      await workspace.until(() => isServed('four'));
      workspace.edit(SOURCE, () => version);
      await workspace.settle();
    },
    LIMIT_MS,
  );

  it(
    'shows a type error with its place while it serves the edit, and reports when the types are correct again',
    async () => {
      const wrong = (source: string) => source.replace('= 1', "= 'one'");
      await workspace.withEdit('apps/api/src/typed.ts', wrong, async () => {
        await workspace.until(() => /^ {2}apps\/api\/src\/typed\.ts:1:14 TS2322: /m.test(workspace.output));
        await workspace.until(() => isServed('airlock-api'));
      });
      await workspace.until(() => workspace.output.includes('types: correct again'));
    },
    2 * LIMIT_MS,
  );

  it(
    'shows a syntax error in place, without a stack, and recovers with the next edit',
    async () => {
      await workspace.withEdit(
        SOURCE,
        () => 'export function readVersion( {',
        async () => {
          await expectComplaint();
          expect(workspace.output).toMatch(/version\.ts:1:\d+/);
          expect(workspace.output).not.toMatch(/^\s+at /m);
        },
      );
      expect(await workspace.get('/version')).toContain('"airlock-api"');
    },
    LIMIT_MS,
  );

  it(
    'shows an error of the configuration in place, and recovers with the next edit',
    async () => {
      await workspace.withEdit(
        '.env',
        (text) => `${text}\nLOG_LEVEL=loud\n`,
        async () => {
          await expectComplaint();
          expect(workspace.output).toMatch(/^LOG_LEVEL: .*"loud".*; expected /m);
          expect(workspace.output).not.toMatch(/^\s+at /m);
        },
      );
      expect(await workspace.get('/version')).toContain('"airlock-api"');
    },
    LIMIT_MS,
  );

  it(
    'moves the database to a changed address, also during another move',
    async () => {
      const [first = 0, second = 0] = await findFreePorts(2);
      const move = (from: number, to: number) => (text: string) => text.replaceAll(`:${from}/`, `:${to}/`);
      await workspace.withEdit('.env', move(workspace.databasePort, first), async () => {
        await workspace.until(async () => !(await isPortFree(first)));
        await workspace.withEdit('.env', move(first, second), () =>
          workspace.until(async () => (await isPortFree(first)) && !(await isPortFree(second))),
        );
      });
      expect(await isPortFree(workspace.databasePort)).toBe(false);
      expect(await workspace.get('/readyz')).toContain('"ok"');
    },
    LIMIT_MS,
  );

  it(
    'applies new passwords in .env to the server and to the API',
    async () => {
      const change = (text: string) => text.replace(/^(DATABASE_URL=.*:)[^:@]+@/m, '$1another-password@');
      await workspace.withEdit('.env', change, () => workspace.settle());
      expect(await workspace.get('/readyz')).toContain('"ok"');
    },
    LIMIT_MS,
  );

  it(
    'does not apply a new migration, and names the command that does',
    async () => {
      const file = 'libs/model/src/migrations/index.ts';
      await workspace.withEdit(
        file,
        (source) => `${source}\n`,
        () =>
          workspace.until(() =>
            workspace.output.includes('Migrations are not applied automatically; run: airlock db migrate'),
          ),
      );
    },
    LIMIT_MS,
  );

  it(
    'reports that it was killed, and restarts at the next edit',
    async () => {
      const killed = workspace.findApi() ?? 0;
      process.kill(killed, 'SIGKILL');
      await workspace.until(() => workspace.output.includes('The API exited (SIGKILL). Waiting for the next edit.'));
      expect(workspace.output).toContain('The system sends SIGKILL when memory runs out');
      await workspace.withEdit(SOURCE, rename('revived'), async () => {
        await workspace.until(async () => (await workspace.get('/version'))?.includes('"revived"') ?? false);
      });
      expect(workspace.findApi()).not.toBe(killed);
    },
    LIMIT_MS,
  );

  it(
    'reports that it was killed before it served',
    async () => {
      const killed = () => "process.kill(process.pid, 'SIGKILL');";
      await workspace.withEdit('apps/api/src/main.ts', killed, () =>
        workspace.until(() => workspace.output.includes('The API did not start (SIGKILL). Waiting for the next edit.')),
      );
    },
    LIMIT_MS,
  );

  it(
    'reports that the check of the types was killed, instead of errors',
    async () => {
      await workspace.withEdit(SOURCE, rename('unchecked'), () =>
        workspace.until(() => {
          const checker = workspace.findProcess('typescript/bin/tsc');
          if (checker !== undefined) process.kill(checker, 'SIGKILL');
          return workspace.output.includes('types: not checked, because tsc was ended by SIGKILL;');
        }),
      );
      expect(workspace.output).not.toContain('types: errors');
    },
    LIMIT_MS,
  );

  it(
    'refuses a second server, and names the first one and the command that stops it',
    async () => {
      const { code, stderr } = await workspace.run('serve', '--check');
      expect(stderr).toMatch(
        /^.*: process (\d+) \(.*db serve\) already serves this workspace; expected one server at a time\.\nUse that server, or stop it: kill \1\n$/,
      );
      expect(code).toBe(1);
    },
    LIMIT_MS,
  );

  it(
    'refuses a second database, on any port',
    async () => {
      const { code, stderr } = await workspace.run('db', 'serve');
      expect(stderr).toMatch(
        /^.*: process \d+ \(.*\) already serves this workspace; expected one server at a time\.\nUse that server, or stop it: kill \d+\n$/,
      );
      expect(code).toBe(1);
    },
    LIMIT_MS,
  );

  async function isServed(name: string): Promise<boolean> {
    return (await workspace.get('/version'))?.includes(`"${name}"`) ?? false;
  }

  async function expectComplaint(): Promise<void> {
    await workspace.until(() =>
      /^The API did not start \(exit code \d+\)\. Waiting for the next edit\.$/m.test(workspace.output),
    );
    expect(await workspace.get('/version')).toBeUndefined();
  }
});

describe('the check before the API is served', () => {
  const refuseHeld = (held: number, name: string) =>
    withHeldPort(async () => {
      const { code, stderr } = await workspace.run('serve', '--check');
      expect(stderr).toMatch(
        new RegExp(
          `^${name} ${held}: process ${process.pid} \\(.*\\) listens on it; expected a free port\\.\n` +
            `Set another port in \\.env: ${name}=\\d+\n$`,
        ),
      );
      expect(code).toBe(1);
    }, held);

  it('names PORT, and the process that uses it', () => refuseHeld(workspace.port, 'PORT'), LIMIT_MS);

  it(
    'names MANAGEMENT_PORT, and the process that uses it',
    () => refuseHeld(workspace.managementPort, 'MANAGEMENT_PORT'),
    LIMIT_MS,
  );

  it(
    'blames no process for an address of another machine, which the API itself reports',
    async () => {
      workspace.edit('.env', (text) => `${text}HOST=192.0.2.1\n`);
      try {
        expect(await workspace.run('serve', '--check')).toEqual({ code: 0, stderr: '' });
      } finally {
        workspace.edit('.env', (text) => text.replace('HOST=192.0.2.1\n', ''));
      }
    },
    LIMIT_MS,
  );
});

describe('the API in development and its database', () => {
  it(
    'report in two lines the process that uses the port of the database, and leave nothing running',
    () =>
      withHeldPort(async () => {
        const { code, stderr } = await workspace.run('db', 'serve');
        expect(stderr).toMatch(
          new RegExp(
            `^DATABASE_URL: port ${workspace.databasePort}: process ${process.pid} \\(.*\\) listens on it; expected a free port\\.\n` +
              'Set another port in DATABASE_URL and DATABASE_MIGRATION_URL, in \\.env: \\d+ is free\\.\n$',
          ),
        );
        expect(code).toBe(1);
        expect(workspace.listProcesses()).toEqual([]);
      }, workspace.databasePort),
    LIMIT_MS,
  );

  it(
    'stop together if the database has other migrations, and name the command that starts over',
    async () => {
      const name = model.migrations.at(-1)?.name ?? '';
      const migrations = `libs/model/src/migrations/${name}.ts`;
      await makeDatabase();
      workspace.edit(migrations, (source) => source.replace('statements: [', 'statements: [`SELECT 1`, '));
      try {
        workspace.launch();
        await workspace.until(() =>
          workspace.output.includes('The database did not start, so the API was not started.'),
        );
        await workspace.until(() => workspace.listProcesses().length === 0);
        expect(workspace.output).toMatch(
          /^\d{14}-[a-z-]+: edited after it was applied .*\n {2}Restore the file.*\n {2}Or delete the data and start over: rm -r \.airlock\/postgres$/m,
        );
      } finally {
        workspace.edit(migrations, (source) => source.replace('`SELECT 1`, ', ''));
      }
    },
    LIMIT_MS,
  );

  /** Reuses the server of an earlier test if it still runs. */
  async function makeDatabase(): Promise<void> {
    if (existsSync(join(workspace.root, '.airlock/postgres'))) return;
    await workspace.start();
    await workspace.stop();
  }

  afterEach(() => workspace.stop(), LIMIT_MS);

  it.each(['SIGKILL', 'SIGTERM', 'SIGHUP'] as const)(
    'stop when the process that started them ends by %s',
    async (signal) => {
      const runner = await workspace.start();
      // The runner, two commands, the API, and PostgreSQL with its guards and helpers.
      expect(workspace.listProcesses().length).toBeGreaterThan(6);
      process.kill(runner, signal);
      await workspace.until(() => workspace.listProcesses().length === 0);
      expect(await workspace.get('/readyz')).toBeUndefined();
    },
    LIMIT_MS,
  );
});
