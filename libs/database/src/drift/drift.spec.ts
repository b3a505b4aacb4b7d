import { beforeAll, describe, expect, it } from '@jest/globals';
import { migrate } from '../migrate/migrate.js';
import { type ScratchDatabase, useScratchCluster } from '../migrate/scratch-database.fixture.js';
import { describeDrift, findDrift, hasDrift } from './drift.js';
import { sampleModel } from '../sample/sample-model.js';

const cluster = useScratchCluster();

describe('findDrift', () => {
  let database: ScratchDatabase;

  beforeAll(async () => {
    database = await cluster.create('staging');
    await migrate({ config: database.config, ...sampleModel });
    // Each test reverts its changes.
    await database.superuser.query('ALTER EVENT TRIGGER airlock_refuse_drop DISABLE');
  });

  it('finds none after a migration, whatever the database and its roles are called', async () => {
    expect(describeDrift(await findDrift({ config: database.config, ...sampleModel }))).toBe('');
  });

  it.each([
    ['another table', 'CREATE TABLE public.spec_extra ()', 'DROP TABLE public.spec_extra'],
    [
      'another type',
      'ALTER TABLE public.parcels ALTER version TYPE bigint',
      'ALTER TABLE public.parcels ALTER version TYPE integer',
    ],
    [
      'another default',
      `ALTER TABLE public.parcels ALTER name SET DEFAULT 'x'`,
      'ALTER TABLE public.parcels ALTER name DROP DEFAULT',
    ],
    ['a view', 'CREATE VIEW public.v AS SELECT 1 AS one', 'DROP VIEW public.v'],
    ['a function', `CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'`, 'DROP FUNCTION public.f()'],
    [
      'a trigger',
      'CREATE TRIGGER t BEFORE UPDATE ON public.parcels FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
      'DROP TRIGGER t ON public.parcels',
    ],
    ['an index on an expression', 'CREATE INDEX e ON public.parcels (lower(name))', 'DROP INDEX public.e'],
    [
      'an invalid index',
      `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.parcels_owner_id_created_at_id_idx'::regclass`,
      `UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'public.parcels_owner_id_created_at_id_idx'::regclass`,
    ],
    ['an enum', `CREATE TYPE public.spec_mood AS ENUM ('sad')`, 'DROP TYPE public.spec_mood'],
    ['a sequence', 'CREATE SEQUENCE public.s', 'DROP SEQUENCE public.s'],
    ['an extension', 'CREATE EXTENSION pgcrypto SCHEMA public', 'DROP EXTENSION pgcrypto'],
    [
      'a constraint that is not valid',
      'ALTER TABLE public.parcels ADD CONSTRAINT c CHECK (version > 1) NOT VALID',
      'ALTER TABLE public.parcels DROP CONSTRAINT c',
    ],
    [
      'row-level security switched off',
      'ALTER TABLE public.parcels DISABLE ROW LEVEL SECURITY',
      'ALTER TABLE public.parcels ENABLE ROW LEVEL SECURITY',
    ],
    [
      'row-level security not forced',
      'ALTER TABLE public.parcels NO FORCE ROW LEVEL SECURITY',
      'ALTER TABLE public.parcels FORCE ROW LEVEL SECURITY',
    ],
    ['one more policy', 'CREATE POLICY p ON public.parcels USING (true)', 'DROP POLICY p ON public.parcels'],
    ['a grant', 'GRANT SELECT ON public.parcels TO PUBLIC', 'REVOKE SELECT ON public.parcels FROM PUBLIC'],
    ['another owner', 'ALTER TABLE public.parcels OWNER TO postgres', 'ALTER TABLE public.parcels OWNER TO :owner'],
  ])('finds %s', async (_, change, undo) => {
    const { superuser, config } = database;
    await superuser.query(change);
    try {
      expect(hasDrift(await findDrift({ config, ...sampleModel }))).toBe(true);
    } finally {
      await superuser.query(undo.replace(':owner', `${config.database.app.database}_owner`));
    }
    expect(describeDrift(await findDrift({ config, ...sampleModel }))).toBe('');
  });

  it('shows the schema and the version of an extension', async () => {
    const { superuser, config } = database;
    await superuser.query('CREATE EXTENSION citext SCHEMA pg_catalog; CREATE EXTENSION "uuid-ossp" SCHEMA public');
    try {
      expect((await findDrift({ config, ...sampleModel })).unexpected).toEqual([
        expect.stringMatching(/^CREATE EXTENSION "uuid-ossp" SCHEMA public VERSION '[\d.]+';$/),
        expect.stringMatching(/^CREATE EXTENSION citext SCHEMA pg_catalog VERSION '[\d.]+';$/),
      ]);
    } finally {
      await superuser.query('DROP EXTENSION citext; DROP EXTENSION "uuid-ossp"');
    }
  });

  it('shows missing and unexpected statements as a diff', async () => {
    const { superuser, config } = database;
    await superuser.query(`ALTER TABLE public.parcels ALTER name SET DEFAULT 'x'`);
    try {
      expect(describeDrift(await findDrift({ config, ...sampleModel }))).toBe(
        `- ALTER TABLE public.parcels ADD COLUMN name text NOT NULL;\n+ ALTER TABLE public.parcels ADD COLUMN name text DEFAULT 'x'::text NOT NULL;`,
      );
    } finally {
      await superuser.query('ALTER TABLE public.parcels ALTER name DROP DEFAULT');
    }
  });
});
