import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { FOLDER, type FolderContent, goodEnvironments, withFolder } from '@airlock/config/testing';
import { model } from '@airlock/model';

const program = fileURLToPath(new URL('../bin/airlock.js', import.meta.url));
/** The name of the last migration, after its timestamp. */
const TAKEN = model.migrations.at(-1)?.name.slice('YYYYMMDDHHMMSS-'.length) ?? '';
/** No process listens on this port, which only root may use. */
const UNREACHABLE = {
  ENVIRONMENT: 'development',
  DATABASE_URL: 'postgres://airlock_app:never-asked-for-1@127.0.0.1:1/airlock_development',
  DATABASE_MIGRATION_URL: 'postgres://airlock_migrator:never-asked-for-2@127.0.0.1:1/airlock_development',
};
/** Prints the name of each package that our sources import. */
const LIST_PACKAGES = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (context.parentURL?.endsWith('.ts') && /^(?!node:|\\.)/.test(specifier)) console.error(specifier);
      return nextResolve(specifier, context);
    },
  });
`)}`;

function run(args: string[], env: Record<string, string> = {}, files: FolderContent = {}) {
  return withFolder(files, (cwd) => {
    const options = { cwd, env, encoding: 'utf8' } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], options);
    return { status, stdout, stderr };
  });
}

describe('airlock', () => {
  it.each([
    [[], /^Usage: airlock /],
    [['db'], /^Usage: airlock db /],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['db', 'refresh', '--percent', '0'], /expected a number above 0, of at most 100/],
    [['db', 'migrate', '--pln'], /unknown option '--pln'/],
    [['db', 'migrate', 'staging'], /too many arguments/],
    [['config', 'check', 'production'], /too many arguments/],
    [['db', 'migrate', '--environment', 'prod'], /Allowed choices are development, /],
    [['db', 'seed', '--size', '0'], /expected small, medium, large or a whole number from 1/],
    [
      ['new', 'migration'],
      /missing required argument 'name'\n {2}airlock new migration \[options\] <name>\n {2}airlock new migration --help/,
    ],
    [['new'], /^Usage: airlock new /],
    [['new', 'migration', 'Bad Name'], /^"Bad Name": is not a valid migration name; expected kebab-case/],
    [['new', 'migration', 'a', '--contract', 'b'], /^--contract b: no such migration; expected one of/],
    [['new', 'migration', TAKEN], new RegExp(`^${TAKEN}: a migration \\w+ already exists`)],
    [['new', 'resource', 'Notes'], /^"Notes": is not a valid resource name; expected kebab-case/],
    [['new', 'resource', 'notes', '--from', 'no-such-ones'], /^--from no-such-ones: is not a resource of /],
    [
      ['new', 'variable', 'smtp_url'],
      /^"smtp_url": has characters other than capitals, digits and single underscores; expected a name/,
    ],
    [
      ['new', 'lib', 'config'],
      /^"config": already exists; expected another name, or none of these files:\n {2}libs\/config/,
    ],
    [['deploy', 'staging'], /missing required argument 'image'\n {2}airlock deploy \[options\] <env> <image>\n/],
    [['db', 'lint', 'no-such-file.sql'], /^no-such-file\.sql: there is no SQL; expected /],
    [['db', 'lint', '.'], /^\.: there is no SQL; expected /],
    [['token'], /required option '--sub <user>'/],
    [['token', '--sub', ''], /expected the id of a user/],
    [['token', '--sub', ' '], /expected the id of a user/],
    [['token', '--sub', ' user_1'], /expected the id of a user: 1 to 255 characters, without control characters/],
    [['token', '--sub', 'user_1\n'], /expected the id of a user/],
    [['token', '--sub', 'user\t1'], /expected the id of a user/],
    [['token', '--sub', 'x'.repeat(256)], /expected the id of a user/],
    [['token', '--sub', 'user_1', '--expires-in', 'soon'], /expected a time span such as 15m/],
  ])('exits with 2 and the reason if it is used wrongly: %j', async (args, said) => {
    const { status, stdout, stderr } = await run(args);
    expect(stderr).toMatch(said);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  it.each([[['--help']], [['db', '--help']], [['db', 'migrate', '--help']], [['help', 'db']]])(
    'ends with 0 when it is asked for help: %j',
    async (args) => {
      const { status, stdout, stderr } = await run(args);
      expect(stdout).toMatch(/^Usage: airlock/);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    },
  );

  it('prints its version before it loads any lib, and no package but the argument parser', async () => {
    const { status, stdout, stderr } = await run(['--version'], { NODE_OPTIONS: `--import ${LIST_PACKAGES}` });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(status).toBe(0);
    expect(new Set(stderr.trim().split('\n'))).toEqual(new Set(['commander']));
  });

  it.each([['status'], ['migrate'], ['drift'], ['seed']])(
    'exits with 69, without stack or password, if the database is unreachable: db %s',
    async (command) => {
      const { status, stderr } = await run(['db', command], UNREACHABLE);
      expect(stderr).toMatch(
        /^database: airlock_\w+@127\.0\.0\.1:1\/airlock_development does not answer: .*ECONNREFUSED.*; expected a session\n {2}airlock /,
      );
      expect(stderr).not.toMatch(/^\s+at |never-asked-for/m);
      expect(status).toBe(69);
    },
  );

  it('refuses to seed production with 3, before it connects', async () => {
    const { production } = goodEnvironments;
    const migrator = String(production.DATABASE_URL).replace(/_app:\w+/, '_migrator:n4k3v0qXZr8bYt5L');
    const env = { ...production, DATABASE_MIGRATION_URL: migrator };
    const { status, stdout, stderr } = await run(['db', 'seed'], env);
    expect(stderr).toBe(
      'ENVIRONMENT: seeds are sample data, and this is production; expected development, testing, preview or staging\n',
    );
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
  });

  it('names the required Node version on another one, instead of a syntax error', () => {
    const pretend = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } })';
    const args = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, program, '--help'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toMatch(
      /^airlock: runs on Node 20\.1\.0; expected the version in the lockfile\n {2}use: npx airlock/,
    );
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  it('shows only the message of an unexpected error, and its stack only on request', async () => {
    const fail = (env: Record<string, string>) =>
      run(['config', 'docs', '--write'], env, { docs: FOLDER, 'docs/configuration.md': FOLDER });
    const { status, stderr } = await fail({});
    expect(stderr).toMatch(/^airlock: EISDIR: .*\n {2}set NODE_DEBUG=airlock to see the stack trace\n$/);
    expect(status).toBe(1);
    expect((await fail({ NODE_DEBUG: 'airlock' })).stderr).toMatch(/^\s+at /m);
  });
});
