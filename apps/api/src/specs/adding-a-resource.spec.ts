import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@airlock/config';
import { withClient } from '@airlock/database';
import { withTestDatabase } from '@airlock/database-dev/testing';
import { TestIssuer } from '@airlock/service/testing';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApiProcess } from '../testing/api-process.fixture.js';
import { WorkspaceCopy } from '../testing/workspace-copy.fixture.js';

jest.setTimeout(300_000);

const NOTES = readFileSync(new URL('../../../../docs/adding-a-resource.md', import.meta.url), 'utf8');
/** A name of several words, with the other article: what the guide says to replace. */
const INVOICES = [
  ['create-notes', 'create-external-invoices'],
  ['a note', 'an external_invoice'],
  ['NOTES', 'EXTERNAL_INVOICES'],
  ['Notes', 'ExternalInvoices'],
  ['Note', 'ExternalInvoice'],
  ['notes', 'external_invoices'],
  ['note', 'external_invoice'],
].reduce((text, [from = '', to = '']) => text.replaceAll(from, to), NOTES);
const RESOURCES = ['notes', 'external_invoices'];
const COLUMNS_FILE = 'libs/model/src/columns.ts';

describe('docs/adding-a-resource.md', () => {
  let copy: WorkspaceCopy;
  let issuer: TestIssuer;
  let compiled: Promise<void>;

  beforeAll(async () => {
    issuer = await TestIssuer.start();
    copy = new WorkspaceCopy();
    for (const text of [NOTES, INVOICES]) await follow(text);
    // The rest of the guide, and the tests, change nothing that the compiler reads.
    compiled = copy.run('tsc --noEmit --project apps/api');
    compiled.catch(() => undefined);
    const [derive = '', ...rest] = readBlocks(NOTES, 'sh').slice(4);
    expect(rest).toEqual(['make check\nmake test\n']);
    await copy.run(derive);
  });
  afterAll(async () => {
    await issuer.stop();
    await Promise.allSettled([compiled]);
    copy.remove();
  });

  /** Steps 1 to 4 for one resource, and the formatter, which is the first command of step 5. */
  async function follow(text: string): Promise<void> {
    for (const commands of readBlocks(text, 'sh').slice(0, 4)) await copy.run(commands);
    const [statements = '', columns = '', ...rest] = readBlocks(text, 'ts');
    expect(rest).toEqual([]);
    const migration = globSync('libs/model/src/migrations/2*.ts', { cwd: copy.folder }).sort().at(-1) ?? '';
    edit(migration, (source) => source.replace(/^ {2}statements: \[.*\],\n/m, () => statements));
    edit(COLUMNS_FILE, (source) =>
      source.replace(/(?<=const columns: Columns = \{[^]*?\n)\};\n/, () => `${columns}};\n`),
    );
    const [format = ''] = readBlocks(text, 'sh')[4]?.split('\n') ?? [];
    await copy.run(format);
  }

  function edit(path: string, change: (source: string) => string): void {
    const before = copy.read(path);
    expect(change(before)).not.toBe(before);
    writeFileSync(join(copy.folder, path), change(before));
  }

  it('changes what it names, formatted as the checks expect, and compiles', async () => {
    const changed = copy.listChanged();
    expect(changed.filter((path) => !/\/(notes|external_invoices)\/|-create-[a-z-]+\.ts$/.test(path))).toEqual([
      'apps/api/openapi.json',
      'apps/api/src/app.module.ts',
      'apps/api/src/controllers.ts',
      COLUMNS_FILE,
      'libs/model/src/migrations/index.ts',
      'libs/model/src/records/known-objects.json',
      'libs/model/src/schema.sql',
    ]);
    await copy.run(`prettier --check --ignore-unknown ${changed.join(' ')}`);
    await compiled;
  });

  it('describes the routes in words, with the right article', () => {
    const { paths } = JSON.parse(copy.read('apps/api/openapi.json')) as {
      paths: Record<string, Record<string, { summary: string }>>;
    };
    const summariesOf = (name: string) =>
      [`/api/v1/${name}`, `/api/v1/${name}/{id}`].flatMap((path) =>
        Object.values(paths[path] ?? {}).map(({ summary }) => summary),
      );
    expect(summariesOf('notes')).toEqual([
      'List your notes',
      'Create a note',
      'Read a note',
      'Change a note',
      'Delete a note',
    ]);
    expect(summariesOf('external_invoices')).toContain('Create an external_invoice');
    expect(summariesOf('entities')).toContain('Create an entity');
  });

  it.each(RESOURCES)('has a rule for every column that schema.sql has for %s', (table) => {
    const schema = copy.read('libs/model/src/schema.sql');
    const [, rules = ''] = new RegExp(`^  ${table}: \\{\n(.*?)^  \\},`, 'ms').exec(copy.read(COLUMNS_FILE)) ?? [];
    const columns = [...schema.matchAll(new RegExp(`^ALTER TABLE public\\.${table} ADD COLUMN (\\w+) `, 'gm'))];
    expect(columns.map(([, name]) => name)).toContain('owner_id');
    expect([...rules.matchAll(/^ {4}(\w+):/gm)].map(([, name]) => name)).toEqual(columns.map(([, name]) => name));
  });

  it('serves the resources, and keeps owners apart', () =>
    withTestDatabase(async ({ config }) => {
      await createTables(config);
      const folder = join(copy.folder, 'apps/api');
      const api = await ApiProcess.start({ config: { ...config, auth: issuer.auth }, folder });
      const ask = async (user: string, method: string, path: string, body?: object) => {
        const authorization = `Bearer ${await issuer.sign({ sub: user })}`;
        const headers = { authorization, ...(body && { 'content-type': 'application/json' }) };
        return fetch(`${api.url}/api/v1/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
      };
      try {
        for (const resource of RESOURCES) await exercise(resource, ask);
        const { paths } = (await (await ask('user_1', 'GET', 'openapi.json')).json()) as { paths: object };
        expect(paths).toEqual((JSON.parse(copy.read('apps/api/openapi.json')) as { paths: object }).paths);
      } finally {
        await api.stop();
      }
    }));
});

type Ask = (user: string, method: string, path: string, body?: object) => Promise<Response>;

async function exercise(resource: string, ask: Ask): Promise<void> {
  const created = await ask('user_1', 'POST', resource, { name: 'Buy tea' });
  expect([created.status, created.headers.get('etag')]).toEqual([201, '"v1"']);
  const row = (await created.json()) as { id: string };
  expect(created.headers.get('location')).toBe(`/api/v1/${resource}/${row.id}`);
  const found = await ask('user_1', 'GET', `${resource}?name=Buy%20tea`);
  expect(await found.json()).toEqual({ items: [row], nextCursor: null });
  expect((await ask('user_2', 'GET', `${resource}/${row.id}`)).status).toBe(404);
  expect((await ask('user_1', 'PATCH', `${resource}/${row.id}`, { name: 'a' })).status).toBe(428);
  expect((await ask('user_1', 'POST', resource, { name: '' })).status).toBe(422);
  expect((await ask('user_1', 'GET', `entities/${row.id}`)).status).toBe(404);
}

/** Runs the statements of the guide, as the owner of the tables. */
async function createTables(config: Config): Promise<void> {
  const { migration } = config.database;
  if (!migration) throw new Error('no migrator');
  await withClient(migration, { config, purpose: 'test' }, async (client) => {
    const { rows } = await client.query<{ owner: string }>(
      `SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE oid = 'entities'::regclass`,
    );
    await client.query(`SET ROLE ${client.escapeIdentifier(rows[0]?.owner ?? '')}`);
    const statements = [NOTES, INVOICES].map((text) => readBlocks(text, 'ts')[0]).join('');
    for (const [, sql = ''] of statements.matchAll(/`([^`]+)`/g)) await client.query(sql);
  });
}

function readBlocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, block = '']) => block,
  );
}
