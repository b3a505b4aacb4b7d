import { mkdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createProgram } from './app.js';
import { createJob } from './create-job.js';
import { createLibrary } from './library.js';
import { createResource } from './resource.js';
import { createVariable } from './variable.js';
import { addToConfig, CONFIG } from './variable-config.js';
import { addToSchema, listEntries, SCHEMA } from './variable-schema.js';
import { ScratchWorkspace } from './workspace.fixture.js';

let workspace: ScratchWorkspace;
beforeEach(() => {
  workspace = new ScratchWorkspace();
});
afterEach(() => workspace.remove());

/** Checks that a generator that rejects its arguments writes nothing. */
async function expectRefusal(generate: () => Promise<unknown>, said: RegExp): Promise<void> {
  const before = workspace.snapshot();
  await expect(generate()).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(said) });
  expect(workspace.snapshot()).toEqual(before);
}

describe('createResource', () => {
  const create = (name: string, more: { singular?: string; from?: string } = {}) =>
    createResource({ root: workspace.root, name, from: 'parcels', ...more });

  it('copies the folder without specs, the table, the entity with its classes and the seeds, and registers them', async () => {
    const { created, changed, left } = await create('order-items');
    const [migration = ''] = created.filter((path) => path.includes('/migrations/'));
    expect([...created].sort()).toEqual([
      'apps/api/src/order-items/order-item.schemas.ts',
      'apps/api/src/order-items/order-items.controller.ts',
      'apps/api/src/order-items/order-items.module.ts',
      'apps/api/src/order-items/rules/weight.ts',
      'libs/model/src/entities/order-item.entity.ts',
      'libs/model/src/entities/order-item.seeds.ts',
      migration,
    ]);
    expect(changed).toHaveLength(5);
    expect(workspace.read('libs/model/src/model.ts')).toContain(`cachedTables: ['parcels', 'order_items']`);
    expect(left).toEqual(['libs/model/src/migrations/20260102000000-add-nickname.ts']);
    expect(workspace.read('apps/api/src/order-items/order-items.controller.ts')).toContain(
      `import { type OrderItem, orderItemSchema } from './order-item.schemas.js';\n\n@Controller('order-items')\n`,
    );
    expect(workspace.read('apps/api/src/order-items/rules/weight.ts')).toBe('export const orderItemWeight = 1;\n');
    expect(workspace.read(migration)).toContain(
      '  statements: [\n' +
        '    `CREATE TABLE public.order_items (id uuid, CONSTRAINT order_items_pkey PRIMARY KEY (id))`,\n' +
        '    // Pages go by id.\n' +
        '    `CREATE INDEX order_items_id_idx ON public.order_items (id)`,\n' +
        '  ],\n',
    );
    expect(workspace.read('libs/model/src/entities/order-item.entity.ts')).toContain(
      `export const orderItemClasses = classify<OrderItemRecord>('order_items', { id: 'internal' });\n`,
    );
    expect(workspace.read('libs/model/src/entities/index.ts')).toContain(
      `import { orderItemClasses, OrderItemRecord } from './order-item.entity.js';\n\n` +
        `export const all = [ParcelRecord, OrderItemRecord];\n\n` +
        `export const classes = Object.fromEntries([parcelClasses, orderItemClasses]);\n`,
    );
    expect(workspace.read('libs/model/src/entities/order-item.seeds.ts')).toContain(
      `export const orderItemSeeds = defineSeeds<OrderItemRecord>({\n  table: 'order_items',\n`,
    );
    expect(workspace.read('libs/model/src/entities/seeds.ts')).toBe(
      `import { parcelSeeds } from './parcel.seeds.js';\nimport { orderItemSeeds } from './order-item.seeds.js';\n\n` +
        `export const seeds = { users: ['user_ada'], tables: [parcelSeeds, orderItemSeeds] };\n`,
    );
    expect(workspace.read('apps/api/src/app.module.ts')).toContain('[ParcelsModule, OrderItemsModule]');
  });

  it('uses the given singular', async () => {
    await create('people', { singular: 'person' });
    expect(workspace.read('apps/api/src/people/person.schemas.ts')).toContain('export const personSchema');
  });

  it.each([
    [
      'a name that exists',
      'parcels',
      {},
      /^"parcels": already exists; .*\n {2}apps\/api\/src\/parcels\n {2}libs\/model/,
    ],
    ['a table that exists', 'labels', {}, /schema\.sql already has a table labels/],
    ['a schema that exists', 'pages', {}, /^"pages": apps\/api\/openapi\.json already has a schema Page/],
    ['capitals', 'Notes', {}, /^"Notes": is not a valid resource name; expected kebab-case of at most 32 characters/],
    ['a path', '../notes', {}, /^"\.\.\/notes": is not a valid resource name/],
    ['a name that is too long', `${'a'.repeat(32)}s`, {}, /is not a valid resource name/],
    [
      'a name without a singular',
      'people',
      {},
      /^"people": is not a plural that ends in s; .*\n {2}airlock new resource people --singular NAME/,
    ],
    ['an invalid singular', 'people', { singular: 'A B' }, /^"A B": is not a valid singular name/],
    ['a reserved word of TypeScript', 'classes', {}, /^"class": is a reserved word of TypeScript/],
    ['a name that strict mode reserves', 'evals', {}, /^"eval": is a reserved word of TypeScript/],
    ['a reserved word of SQL', 'references', {}, /^"references": is a reserved word of SQL/],
    ['a name that the copies import', 'gets', {}, /^"gets": gets\.controller\.ts would use Get for two things/],
    [
      'a missing source',
      'notes',
      { from: 'nothing' },
      /^--from nothing: is not a resource of apps\/api\/src; expected one of: parcels/,
    ],
  ])('refuses %s and writes nothing', (_, name, more, said) => expectRefusal(() => create(name, more), said));

  it.each([
    ['a folder', 'apps/api/src/notes/notes.module.ts'],
    ['an entity', 'libs/model/src/entities/note.entity.ts'],
    ['a migration', 'libs/model/src/migrations/20260103000000-create-notes.ts'],
  ])('rejects a name if an earlier attempt has left %s', async (_, path) => {
    workspace.write(path, '');
    await expectRefusal(
      () => create('notes'),
      /^"notes": already exists; expected another name, or none of these files:\n {2}\w/,
    );
  });

  it.each([
    [
      'a module',
      'apps/api/src/app.module.ts',
      'export const NotesModule = 1;\n',
      /app\.module\.ts: already has a NotesModule/,
    ],
    [
      'classes',
      'libs/model/src/entities/index.ts',
      'const noteClasses = {};\n',
      /entities\/index\.ts: already has a noteClasses/,
    ],
  ])('rejects a name if a list already has its %s', async (_, path, line, said) => {
    workspace.write(path, workspace.read(path) + line);
    await expectRefusal(() => create('notes'), said);
  });

  it('rejects a source without a module in a list, or without a migration that creates its table', async () => {
    workspace.write('apps/api/src/letters/letters.controller.ts', '');
    workspace.write('apps/api/src/letters/letter.schemas.ts', '');
    await expectRefusal(() => create('notes', { from: 'letters' }), /no migration creates public\.letters/);
    workspace.write('apps/api/src/app.module.ts', '');
    await expectRefusal(() => create('notes'), /^--from parcels: no file in apps\/api\/src lists its module/);
  });
});

describe('createJob', () => {
  const create = (name: string) => createJob({ root: workspace.root, name });

  it('writes the job and its spec, and adds it to the list of all jobs and to the exports', async () => {
    expect(await create('parcels.remind-twice')).toEqual({
      created: ['libs/jobs/src/parcels-remind-twice.ts', 'libs/jobs/src/parcels-remind-twice.spec.ts'],
      changed: ['libs/jobs/src/index.ts'],
    });
    expect(workspace.read('libs/jobs/src/parcels-remind-twice.ts')).toContain(
      `export const parcelsRemindTwice = job({\n  name: 'parcels.remind-twice',\n`,
    );
    expect(workspace.read('libs/jobs/src/index.ts')).toBe(
      `import { weigh } from './weigh.js';\nimport { parcelsRemindTwice } from './parcels-remind-twice.js';\n\n` +
        `export { weigh, parcelsRemindTwice };\n\nexport const jobs = [weigh, parcelsRemindTwice] as const;\n`,
    );
  });

  it.each([
    ['a job that exists', 'weigh', /^"weigh": already exists; .*\n {2}libs\/jobs\/src\/weigh\.ts/],
    ['the name of the list', 'jobs', /^"jobs": libs\/jobs\/src\/index\.ts cannot export another jobs/],
    ['a reserved word', 'delete', /^"delete": libs\/jobs\/src\/index\.ts cannot export another delete/],
    ['the entry point', 'index', /^"index": already exists/],
    ['capitals', 'Orders', /^"Orders": is not a valid job name; expected words of at most 60 characters/],
    ['a path', '../orders', /^"\.\.\/orders": is not a valid job name/],
    ['a name that is too long', 'a'.repeat(61), /is not a valid job name/],
  ])('refuses %s and writes nothing', (_, name, said) => expectRefusal(() => create(name), said));

  it('refuses a list that it does not find', async () => {
    workspace.write('libs/jobs/src/index.ts', 'export const others = [];\n');
    await expectRefusal(() => create('orders'), /has no list `jobs` and no list of exports/);
  });
});

describe('createLibrary', () => {
  const create = (name: string) => createLibrary({ root: workspace.root, name });

  it('adds the library to the lockfile in the order of npm, and a layer to the linter, and a mount', async () => {
    await create('mailer');
    const { packages } = JSON.parse(workspace.read('package-lock.json')) as { packages: Record<string, object> };
    const paths = Object.keys(packages);
    expect(paths).toEqual(paths.toSorted((one, other) => one.localeCompare(other, 'en')));
    expect(packages['node_modules/@airlock/mailer']).toEqual({ resolved: 'libs/mailer', link: true });
    expect(workspace.read('eslint.config.mjs')).toContain(`{ sourceTag: 'layer:mailer', onlyDependOnLibsWithTags:`);
    expect(workspace.read('compose.override.yml')).toMatch(
      /libs\/jobs\/.*\n +- \.\/libs\/mailer\/src:.*:ro\n.*libs\/model/,
    );
  });

  it.each([
    ['a library that exists', 'model', /^"model": already exists; .*\n {2}libs\/model/],
    ['the name of another project', 'checks', /^"checks": is the name of the project in checks\/package\.json/],
    ['the name of a layer', 'app', /^"app": eslint\.config\.mjs already has a layer of this name/],
    ['the name of the entry point', 'index', /^"index": is the name of an entry point/],
    ['capitals', 'Mailer', /^"Mailer": is not a valid library name/],
    [
      'the name of an export',
      'source',
      /^"source": is a name whose function describeSource is already exported by libs/,
    ],
  ])('refuses %s and writes nothing', (_, name, said) => expectRefusal(() => create(name), said));
});

describe('createProgram', () => {
  const create = (name: string) => createProgram({ root: workspace.root, name });

  it('adds the app with its libraries to the lockfile, and changes nothing else', async () => {
    const { created, changed } = await create('reports');
    expect(created).toContain('apps/reports/src/main.ts');
    expect(changed).toEqual(['package-lock.json']);
    const { packages } = JSON.parse(workspace.read('package-lock.json')) as { packages: Record<string, object> };
    expect(packages['apps/reports']).toMatchObject({
      dependencies: { '@airlock/database': '0.1.0' },
      devDependencies: { '@airlock/database-dev': '0.1.0' },
    });
    expect(packages['node_modules/@airlock/reports']).toEqual({ resolved: 'apps/reports', link: true });
  });

  it.each([
    ['an app that exists', 'api', /^"api": already exists; .*\n {2}apps\/api/],
    ['the name of another project', 'checks', /^"checks": is the name of the project in checks\/package\.json/],
    ['capitals', 'Reports', /^"Reports": is not a valid app name/],
    ['the name of the entry point', 'main', /^"main": is the name of an entry point/],
    ['the name of a folder that Git ignores', 'dist', /^"dist": is in \.gitignore/],
    ['the name of another source', 'weight', /^"weight": is the name of the source apps\/api\/.*\/rules\/weight\.ts/],
  ])('refuses %s and writes nothing', (_, name, said) => expectRefusal(() => create(name), said));

  it('refuses a name whose folder is a link, also to a missing folder', async () => {
    symlinkSync('missing', join(workspace.root, 'apps/reports'));
    await expect(create('reports')).rejects.toThrow(/^"reports": already exists; .*\n {2}apps\/reports/);
  });

  it('replaces the link of a removed project', async () => {
    mkdirSync(join(workspace.root, 'node_modules/@airlock'), { recursive: true });
    const link = join(workspace.root, 'node_modules/@airlock/reports');
    symlinkSync('../../libs/reports', link);
    await create('reports');
    expect(readlinkSync(link)).toBe('../../apps/reports');
  });
});

describe('createVariable', () => {
  const create = (name: string, more: Omit<Parameters<typeof createVariable>[0], 'name'> = {}) =>
    createVariable({ root: workspace.root, name, ...more });

  it.each([
    ['a name that exists', 'LOG_LEVEL', {}, /^LOG_LEVEL: is already in libs\/config\/src\/variables\/schema\.ts/],
    ['a name of the config', 'POOL_SIZE', { group: 'Database' }, /^POOL_SIZE: the config already has a poolSize/],
    ['lowercase letters', 'smtp_url', {}, /^"smtp_url": has characters other than capitals, digits and single under/],
    ['a name for a file', 'SMTP_FILE', {}, /ends in _FILE/],
    ['a name of Node', 'NODE_ENV', {}, /is a variable of another program/],
    ['an invalid heading', 'LABELS_URL', { group: `'` }, /^--group "'": is not a valid heading/],
    [
      'a description that is not a sentence',
      'LABELS_URL',
      { description: 'mail' },
      /^--description "mail": is not a valid description; expected a sentence/,
    ],
    ['a required variable without a value', 'LABELS_URL', { isRequired: true }, /^--required: expected also --example/],
    ['an example of a secret', 'LABELS_KEY', { isSecret: true, example: 'a' }, /^--example: a secret has none/],
    [
      'an unknown program',
      'LABELS_URL',
      { programs: ['api', 'cron'] },
      /^--programs: "cron" is not a program; expected api, callback, worker/,
    ],
  ])('refuses %s and writes nothing', (_, name, more, said) => expectRefusal(() => create(name, more), said));

  it.each([
    [
      'in the section of its group',
      'LOG_FILE_SIZE',
      'Log',
      'log.logFileSize',
      /\blog: \{[^}]*, logFileSize: v\.LOG_FILE_SIZE \}/,
    ],
    [
      'in a new section',
      'LABELS_URL',
      'Printed labels',
      'printedLabels.labelsUrl',
      /\bprintedLabels: \{ labelsUrl: v\.LABELS_URL \}/,
    ],
    ['next to a section that is not an object', 'REDIS_MODE', 'Redis', 'redisMode', /^ {4}redisMode: v\.REDIS_MODE,$/m],
  ])('adds the value %s', (_, name, group, property, expected) => {
    const source = workspace.read(CONFIG);
    const siblings = listEntries(workspace.read(SCHEMA)).filter((entry) => entry.group === group);
    const draft = addToConfig(source, { name, group, siblings: siblings.map((entry) => entry.name) });
    expect(draft.property).toBe(property);
    expect(draft.text.replaceAll(`, ${property}:`, `,\n    ${property}:`)).toMatch(expected);
  });

  it.each([
    [
      'a required secret',
      { name: 'LABELS_KEY', isSecret: true, isRequired: true },
      `LABELS_KEY: secret().register(variables, { group: 'Log', description: 'Signs labels.', example: 'changethis', default: { development: 'notSecretLabelsKeyOfDevelopment0', testing: 'notSecretLabelsKeyOfTesting00000' }, required: DEPLOYED, secret: true })`,
    ],
    [
      'a required value of a job',
      { name: 'LABELS_URL', isSecret: false, isRequired: true, example: 'a', programs: ['api', 'worker'] },
      `LABELS_URL: text().register(variables, { group: 'Log', description: 'Signs labels.', programs: ['api', 'worker'], example: 'a', default: { development: 'a', testing: 'a' }, required: DEPLOYED })`,
    ],
  ])('adds %s to the schema', (_, variable, expected) => {
    const source = workspace.read(SCHEMA);
    const draft = { group: 'Log', description: 'Signs labels.', ...variable };
    const added = addToSchema(source, listEntries(source), draft).replace(/\s+/g, ' ');
    expect(added).toContain(expected);
  });

  it('leaves everything unchanged if the examples cannot be written', async () => {
    const before = workspace.snapshot();
    // The scratch workspace has no command that writes them.
    await expect(create('LABELS_URL')).rejects.toThrow('Command failed');
    expect(workspace.snapshot()).toEqual(before);
  });
});
