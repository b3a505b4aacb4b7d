import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { createJudge, type Judge } from './command-line.js';
import { loadBlocks, parseCommands, type Block } from './document-blocks.js';
import { listFiles, readText, root } from './repository.js';

const documents = listFiles(
  /^docs\/(environments|deployment|ci-pipeline|postgresql-major|secrets)\.md$|^docs\/runbooks\/.*\.md$|^docker\/deploy\/.*\.md$/,
);
const blocks = documents.flatMap(loadBlocks);
const ofKind = (...kinds: Block['kind'][]) =>
  blocks.filter(({ kind }) => kinds.includes(kind)).map((block) => [block.where, block] as const);

describe('docs/runbooks', () => {
  const pages = listFiles(/^docs\/runbooks\/(?!README).*\.md$/).map((path) => path.replace('docs/runbooks/', ''));

  it('has a page for each problem, and its index names all of them', () => {
    const named = [...readText('docs/runbooks/README.md').matchAll(/\]\(([a-z0-9-]+\.md)\)/g)].map(([, page]) => page);
    expect(named.sort()).toEqual(pages.sort());
  });

  it.each(pages)('%s begins with the symptoms and the first minutes', (page) => {
    expect(readText(`docs/runbooks/${page}`)).toMatch(/^# .+\n\n(?!#)[\s\S]+?\n## First/);
  });
});

describe('a command of a document', () => {
  let judge: Judge;
  beforeAll(async () => {
    judge = await createJudge();
  });

  it.each(ofKind('sh', 'sh run'))('%s exists as written', (_where, { text }) => {
    const commands = parseCommands(text);
    expect(commands).not.toEqual([]);
    expect(commands.map((words) => [words.join(' '), judge(words)]).filter(([, problem]) => problem)).toEqual([]);
  });

  it.each([
    ['airlock deploy staging', "missing required argument 'image'"],
    ['airlock deploy staging x@y --urll https://x', "unknown option '--urll'"],
    ['airlock deploi staging x', "unknown command 'deploi'"],
    ['airlock db', '(outputHelp)'],
    ['airlock status staging production', "too many arguments for 'status'"],
    ['gh workflow run promote.yml -f release=v1.2.3', 'inputs  unknown, digest,confirm missing'],
    ['gh workflow run ci.yml', 'cannot be started by hand'],
    ['gh workflow run rollback.yml -f environment=x -f confirm=x -f diggest=x', 'inputs diggest unknown'],
    ['nx run smoke:checks', 'no such target'],
    ['nx run smoke:check --url https://x.example.com --env staging', 'options --env unknown'],
    ['nx run smoke:check --digest sha256:x', '--url missing'],
    ['make deploy', 'no such target'],
    ['docker/recover production too', 'no such command'],
    ['kubectl delete namespace', 'is not a program that a document may name'],
  ])('«%s» is rejected', (command, problem) => {
    expect(judge(command.split(' '))).toContain(problem);
  });
});

describe('with a PostgreSQL', () => {
  const NAME = 'airlock_development';
  const COPY = 'airlock_restored';
  let folder: string;
  let cluster: Cluster;
  const role = (user: string): Login => ({
    ...cluster.superuser,
    user,
    password: { reveal: () => `${user}-0123456789` },
  });
  const url = (user: string, database = NAME) => urlOf(role(user), database);
  const variables = (database = NAME) => ({
    PATH: `${join(root, 'node_modules/.bin')}:/usr/local/bin:/usr/bin:/bin`,
    HOME: folder,
    ENVIRONMENT: 'development',
    DATABASE_SERVER: 'external',
    DATABASE_URL: url('airlock_app', database),
    NEW_DATABASE_URL: url('airlock_app_b', database),
    DATABASE_MIGRATION_URL: url('airlock_migrator', database),
    DATABASE_ADMIN_URL: urlOf(cluster.superuser, 'postgres'),
    DATABASE_NAME: database,
  });
  const query = (login: Login, sql: string, database = NAME) =>
    withClient(login, database, (client) => client.query(sql));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'airlock-runbooks-'));
    const { startCluster } = (await import(join(root, 'libs/embedded-postgres/src/index.ts'))) as Embedded;
    cluster = await startCluster({ dataDir: join(folder, 'postgres'), durable: false });
    expect(await run('airlock db provision && airlock db migrate', variables())).toMatchObject({ status: 0 });
  }, 60_000);
  afterAll(async () => {
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(ofKind('sh run').filter(([where]) => !where.includes('restore')))(
    '%s runs',
    async (_where, { text }) => {
      expect(await run(text, variables())).toMatchObject({ status: 0 });
    },
    30_000,
  );

  it.each(ofKind('sql'))(
    '%s is SQL that this schema accepts',
    async (_where, { text }) => {
      await query(cluster.superuser, `BEGIN; ${text}; ROLLBACK`);
    },
    30_000,
  );

  it('lets the old and the new role of a rotation serve at the same time, and then drops the old one', async () => {
    const [, block] = ofKind('sh run').find(([where]) => where.startsWith('docs/secrets.md')) ?? [];
    await run(block?.text ?? '', variables());
    for (const user of ['airlock_app', 'airlock_app_b']) {
      const { rows } = await query(role(user), 'SELECT count(*)::int AS rows FROM public.entities');
      expect(rows).toEqual([{ rows: 0 }]);
    }
    await query(cluster.superuser, 'DROP OWNED BY airlock_app; DROP ROLE airlock_app;');
    expect((await query(role('airlock_app_b'), 'SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await run('airlock db provision', variables());
  });

  it('refuses a copy until it is adopted as the restore page says', async () => {
    await query(cluster.superuser, `CREATE DATABASE ${COPY} TEMPLATE ${NAME}`, 'postgres');
    const before = await run('airlock db status', variables(COPY));
    expect(before.status).not.toBe(0);
    expect(before.output).toContain('stamp');
    for (const [, { text }] of ofKind('sh run').filter(([where]) => where.includes('restore'))) {
      expect(await run(text, variables(COPY))).toMatchObject({ status: 0 });
    }
    // Roles belong to the server: a copy that uses a role prevents its removal.
    await query(cluster.superuser, `DROP DATABASE ${COPY}`, 'postgres');
  });
});

interface Login {
  host: string;
  port: number;
  user: string;
  password: { reveal: () => string };
}
interface Cluster {
  port: number;
  superuser: Login;
  stop: () => Promise<void>;
}
interface Embedded {
  startCluster: (options: { dataDir: string; durable: boolean }) => Promise<Cluster>;
}

const urlOf = ({ host, port, user, password }: Login, database: string): string =>
  `postgres://${user}:${encodeURIComponent(password.reveal())}@${host}:${port}/${database}?sslmode=disable`;

async function withClient<T>(login: Login, database: string, work: (client: Client) => Promise<T>): Promise<T> {
  const { host, port, user, password } = login;
  // eslint-disable-next-line no-restricted-syntax -- there is no config here: the server is this spec's own
  const client = new Client({ host, port, user, password: password.reveal(), database });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Runs a block as a reader would: in one shell that stops at the first failure, in a folder without a developer's .env.
 */
function run(text: string, env: Record<string, string>): Promise<{ status: number; output: string }> {
  return new Promise((resolve) => {
    execFile('bash', ['-euo', 'pipefail', '-c', text], { env, cwd: env['HOME'] }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
    });
  });
}
