import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { loadBlocks } from './document-blocks.js';
import { root } from './repository.js';
import { WorkspaceCopy } from './workspace-copy.fixture.js';

jest.setTimeout(300_000);

/** A second resource, with a name of several words and the other article. */
const INVOICES = 'external-invoices';
const RESOURCES = ['notes', INVOICES];
const JEST = 'node --experimental-vm-modules --import ../../tools/typescript.mjs ../../node_modules/jest/bin/jest.js';
const blocks = loadBlocks('docs/adding-a-resource.md').map(({ text }) => text);

describe('docs/adding-a-resource.md and airlock new', () => {
  const copy = new WorkspaceCopy();
  let compiled: Promise<unknown>;
  let said: string;

  beforeAll(async () => {
    const [path = '', create = '', derive = '', ...rest] = blocks;
    expect(rest).toEqual(['make check\nmake test']);
    await copy.run(`${path}\n${create}`);
    await copy.run(
      `airlock new resource ${INVOICES} --from notes && airlock new lib labels && airlock new app reports && airlock new job notes.remind`,
    );
    said = await copy.run(`airlock new variable LABELS_URL --secret --description 'The service that prints labels.'`);
    // The remaining commands of the guide, and the tests, change nothing that the compiler reads.
    compiled = copy.run('tsc');
    compiled.catch(() => undefined);
    await copy.run(derive);
  });
  afterAll(async () => {
    await copy.stop();
    await Promise.allSettled([compiled]);
    copy.remove();
  });

  it('change the named files, formatted as the checks expect, and compile', async () => {
    const changed = copy.listChanged();
    const isNew =
      /\/(notes|external-invoices|labels|reports)\/|\/notes-remind\.|-create-[a-z-]+\.ts$|\/(note|external-invoice)\.(entity|seeds)\.ts$/;
    expect(changed.filter((path) => !isNew.test(path))).toEqual([
      '.env.example',
      'apps/api/openapi.json',
      'apps/api/src/api.ts',
      'apps/api/src/app.module.ts',
      'compose.override.yml',
      'docker/env/preview.env.example',
      'docker/env/production.env.example',
      'docker/env/staging.env.example',
      'docker/env/testing.env.example',
      'docs/configuration.md',
      'eslint.config.mjs',
      'libs/config/src/load/create-config.ts',
      'libs/config/src/variables/schema.ts',
      'libs/jobs/src/index.ts',
      'libs/model/src/entities/index.ts',
      'libs/model/src/entities/seeds.ts',
      'libs/model/src/migrations/index.ts',
      'libs/model/src/model.ts',
      'libs/model/src/records/known-objects.json',
      'libs/model/src/schema.sql',
      'package-lock.json',
    ]);
    await copy.run(`prettier --check --ignore-unknown ${changed.join(' ')}`);
    await compiled;
  });

  it('leave no file of the copy with the name of the sample', () => {
    const files = copy.listChanged().filter((path) => /^apps\/api\/src\/(notes|external-invoices)\//.test(path));
    expect(files.filter((path) => /entit(y|ies)/i.test(copy.read(path)))).toEqual([]);
    expect(files.length).toBeGreaterThan(10);
  });

  it('describe the routes in words, with the right article', () => {
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
    expect(summariesOf(INVOICES)).toContain('Create an external invoice');
    expect(summariesOf('entities')).toContain('Create an entity');
  });

  it.each([
    ['notes', 'note'],
    ['external_invoices', 'external-invoice'],
  ])('give a class to every column that schema.sql has for %s', (table, entity) => {
    const schema = copy.read('libs/model/src/schema.sql');
    const classesOf = new RegExp(`^export const \\w+ = classify<\\w+>\\('${table}', \\{\n(.*?)^\\}\\);`, 'ms');
    const [, classes = ''] = classesOf.exec(copy.read(`libs/model/src/entities/${entity}.entity.ts`)) ?? [];
    const columns = [...schema.matchAll(new RegExp(`^ALTER TABLE public\\.${table} ADD COLUMN (\\w+) `, 'gm'))];
    expect(columns.map(([, name]) => name)).toContain('owner_id');
    expect([...classes.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name)).toEqual(columns.map(([, name]) => name));
  });

  it('create a resource that is served, and isolates owners from each other', async () => {
    await copy.start(['airlock', 'db', 'serve'], /migrated \d+-create-external-invoices/);
    const [, url = ''] = /API +(http\S+)/.exec(await copy.start(['airlock', 'serve'], /API +http\S+\n/)) ?? [];
    const tokens = new Map<string, string>();
    for (const user of ['user_1', 'user_2', 'user_ada'])
      tokens.set(user, (await copy.run(`airlock token --sub ${user}`)).trim());
    const ask: Ask = (user, method, path, body) => {
      const authorization = `Bearer ${tokens.get(user)}`;
      const headers = { authorization, connection: 'close', ...(body && { 'content-type': 'application/json' }) };
      return fetch(`${url}/api/v1/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    };
    for (const resource of RESOURCES) await exercise(resource, ask);
    for (const resource of ['entities', ...RESOURCES])
      expect(await (await ask('user_ada', 'GET', resource)).json()).toMatchObject({ nextCursor: expect.any(String) });
    expect(await copy.run('nx start reports')).toContain('{"event":"reports.done","database":"airlock_development"}');
    const { paths } = (await (await ask('user_1', 'GET', 'openapi.json')).json()) as { paths: object };
    expect(paths).toEqual((JSON.parse(copy.read('apps/api/openapi.json')) as { paths: object }).paths);
  });

  it('create sample rows that the specs accept', async () => {
    // The spec is of this workspace, and takes each table from the list of the copy.
    const spec = 'libs/model/src/entities/seeds.spec.ts';
    const said = await copy.run(
      `cp ${root}/${spec} ${spec} && (cd libs/model && ${JEST} --verbose src/entities 2>&1) && rm ${spec}`,
    );
    for (const table of ['notes', 'external_invoices']) expect(said).toContain(`the seeds of ${table}`);
  });

  it('create a library in its own layer and an app, which pass their specs', async () => {
    await copy.run(`(cd libs/labels && ${JEST}) && (cd apps/reports && ${JEST})`);
    const lint = copy.read('eslint.config.mjs');
    expect(lint).toMatch(/sourceTag: 'layer:app',\s+onlyDependOnLibsWithTags: \[\s*'(layer:)?labels',/);
    expect(lint).toContain(`{ sourceTag: 'layer:labels', onlyDependOnLibsWithTags: ['layer:config'] },`);
  });

  it('create a library, an app and a job that pass lint', async () => {
    await copy.run('eslint libs/labels apps/reports libs/jobs');
  });

  it('create a job that the specs run', async () => {
    await copy.run(`(cd libs/jobs && ${JEST} src/notes-remind)`);
  });

  it('create a variable that may be set, and name the files that pass it on', async () => {
    const print = await copy.run(
      'ENVIRONMENT=development LABELS_URL=https://labels.example.com airlock config print --json || true',
    );
    expect(JSON.parse(print)).toContainEqual({ name: 'LABELS_URL', value: '[redacted]', source: 'environment' });
    expect(copy.read('.env.example')).toContain('# The service that prints labels. Secret.\n# LABELS_URL=changethis\n');
    expect(said).toContain('service.labelsUrl');
    expect(said).toMatch(/Add LABELS_URL where its process needs it:\n(.*\n)* {2}docker\/hosted\.yml\n/);
  });
});

type Ask = (user: string, method: string, path: string, body?: object) => Promise<Response>;

async function exercise(resource: string, ask: Ask): Promise<void> {
  const created = await ask('user_1', 'POST', resource, { name: 'Buy tea' });
  expect([created.status, created.headers.get('etag')]).toEqual([201, '"v1-development"']);
  const row = (await created.json()) as { id: string };
  expect(created.headers.get('location')).toBe(`/api/v1/${resource}/${row.id}`);
  const found = await ask('user_1', 'GET', `${resource}?name=Buy%20tea`);
  expect(await found.json()).toEqual({ items: [row], nextCursor: null });
  expect((await ask('user_2', 'GET', `${resource}/${row.id}`)).status).toBe(404);
  expect((await ask('user_1', 'PATCH', `${resource}/${row.id}`, { name: 'a' })).status).toBe(428);
  expect((await ask('user_1', 'POST', resource, { name: '' })).status).toBe(422);
  expect((await ask('user_1', 'GET', `entities/${row.id}`)).status).toBe(404);
}
