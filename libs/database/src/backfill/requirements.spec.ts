import { describe, expect, it } from '@jest/globals';
import { loadPlan, loadStatus } from '../migrate/database-status.js';
import { migrate } from '../migrate/migrate.js';
import { checkSchema } from '../migrate/schema-range.js';
import { useScratchCluster } from '../migrate/scratch-database.fixture.js';
import { defineBackfill } from '../model/backfill.js';
import { defineMigration } from '../model/migration.js';
import {
  addNickname,
  addPeople,
  before,
  countTouches,
  createPeople,
  dropName,
  fillNickname,
  peopleModel,
} from './people.fixture.js';
import { assertBackfillCatalogue } from './requirements.js';
import { runBackfill } from './run-backfill.js';

const cluster = useScratchCluster();
const { name, follows, table, set, where } = fillNickname;
const definition = { name, follows, table, set, where };
const required = [defineBackfill({ ...definition, isRequired: true })];

async function createFilled(environment: 'staging' | 'testing') {
  const database = await cluster.create(environment);
  await migrate({ config: database.config, migrations: before });
  await addPeople(database.superuser, 150);
  const { config } = database;
  const open = (role: 'app') => database.connect(role);
  return {
    ...database,
    config,
    open,
    states: async () => (await loadStatus({ config, ...peopleModel })).backfills.map(({ state }) => state),
  };
}

describe('a migration that names a backfill', () => {
  it('is refused before any change until the backfill is complete in this database', async () => {
    const { config, superuser, states } = await createFilled('staging');
    const addNote = defineMigration({
      name: '20260102120000-add-note',
      phase: 'expand',
      statements: ['ALTER TABLE public.people ADD COLUMN note text'],
    });
    const model = { ...peopleModel, migrations: [...before, addNote, dropName] };
    const refusal = {
      exitCode: 3,
      message:
        `${dropName.name}: needs the backfill fill-nickname, which is not started; expected it to be complete\n` +
        `  airlock db migrate --to ${addNote.name}\n  airlock db backfill fill-nickname   # then migrate again`,
    };
    await expect(migrate({ config, ...model })).rejects.toMatchObject(refusal);
    await expect(loadPlan({ config, ...model })).rejects.toMatchObject(refusal);
    expect((await migrate({ config, ...model, to: addNote.name })).applied).toHaveLength(1);
    const stopped = new AbortController();
    const started = runBackfill({
      ...{ config, ...peopleModel, migrations: model.migrations, name: fillNickname.name, signal: stopped.signal },
      onEvent: ({ type }) => type === 'progress' && stopped.abort(new Error('interrupted')),
    });
    await expect(started).rejects.toThrow('interrupted');
    await expect(migrate({ config, ...model })).rejects.toThrow('fill-nickname, which is not finished;');
    await runBackfill({ config, ...peopleModel, migrations: model.migrations, name: fillNickname.name });
    expect(await countTouches(superuser)).toEqual({ 1: 150 });
    expect((await migrate({ config, ...model })).applied).toMatchObject([{ name: dropName.name }]);
    // Its columns may be gone now.
    expect(await states()).toEqual(['complete']);
    expect(await runBackfill({ config, ...model, name: fillNickname.name })).toMatchObject({ changed: 150 });
  });

  it('is refused when the definition changed after the backfill was complete', async () => {
    const { config } = await createFilled('staging');
    await runBackfill({ config, ...peopleModel, name: fillNickname.name });
    const backfills = [defineBackfill({ ...definition, where: `nickname IS NULL OR nickname = ''` })];
    await expect(migrate({ config, ...peopleModel, backfills })).rejects.toThrow(
      'which is another one now than when it began',
    );
  });

  it('runs at once, with its backfill, in a database that runs locally and in one that was empty', async () => {
    const local = await createFilled('testing');
    const events: string[] = [];
    const onEvent = ({ type, name }: { type: string; name?: string }) => events.push(`${type} ${name ?? ''}`);
    await migrate({ config: local.config, ...peopleModel, onEvent });
    expect(events.findIndex((event) => event.startsWith('backfill'))).toBeLessThan(
      events.indexOf(`applied ${dropName.name}`),
    );
    expect(await countTouches(local.superuser)).toEqual({ 1: 150 });
    const empty = await cluster.create('staging');
    await migrate({ config: empty.config, migrations: before, backfills: [fillNickname] });
    expect((await loadStatus({ config: empty.config, ...peopleModel })).backfills).toMatchObject([
      { state: 'complete', changed: 0 },
    ]);
    await migrate({ config: empty.config, ...peopleModel });
  });
});

describe('readiness', () => {
  it('waits for a backfill that this code requires, and for no other', async () => {
    const { config, open, states } = await createFilled('staging');
    const app = await open('app');
    expect(await checkSchema(app, before, [fillNickname])).toMatchObject({ state: 'ready' });
    expect(await checkSchema(app, before, required)).toEqual({
      state: 'behind',
      isServing: false,
      reasons: ['the backfill fill-nickname is not started'],
    });
    expect(await loadStatus({ config, migrations: before, backfills: required })).toMatchObject({
      verdict: { state: 'behind' },
    });
    await runBackfill({ config, ...peopleModel, name: fillNickname.name });
    expect(await states()).toEqual(['complete']);
    expect(await checkSchema(app, before, required)).toMatchObject({ state: 'ready' });
  });

  it('shows applications how far a backfill is, and not the key, which may be about a person', async () => {
    const { config, open } = await createFilled('staging');
    await runBackfill({ config, ...peopleModel, name: fillNickname.name });
    const app = await open('app');
    await expect(app.query('SELECT last_key FROM ops.backfills')).rejects.toThrow('permission denied');
    await expect(app.query('UPDATE ops.backfills SET completed_at = now()')).rejects.toThrow('permission denied');
  });
});

describe('assertBackfillCatalogue', () => {
  const naming = (backfills: string[], name = dropName.name) =>
    defineMigration({ name, phase: 'expand', backfills, statements: ['SELECT 1'] });

  it.each([
    [
      'an unknown backfill',
      [...before, naming(['fill-surname'])],
      [fillNickname],
      'needs the backfill fill-surname, which does not exist',
    ],
    [
      'a backfill that follows a later migration',
      [createPeople, naming(['fill-nickname'], '20260101120000-x'), addNickname],
      [fillNickname],
      'which follows a later migration',
    ],
    ['a backfill that follows nothing', [createPeople], [fillNickname], 'expected the name of an expand'],
    ['two of one name', before, [fillNickname, fillNickname], 'fill-nickname: two backfills have this name'],
  ])('refuses %s', (_what, migrations, backfills, message) => {
    expect(() => assertBackfillCatalogue(migrations, backfills)).toThrow(message);
  });
});

describe('defineBackfill', () => {
  it.each([
    [{ name: 'Fill' }, 'expected kebab-case'],
    [{ table: 'people' }, 'expected schema.name, such as public.orders'],
    [{ table: 'public.people; DROP TABLE public.people' }, 'expected schema.name'],
    [{ set: {} }, 'sets no column'],
    [{ where: ' ' }, 'where is empty'],
  ])('refuses %j', (change, message) => {
    expect(() => defineBackfill({ ...definition, isRequired: true, ...change })).toThrow(message);
  });
});
