import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import type { Config } from '@airlock/config';
import { createDataSource } from './data-source.js';
import type { DiscreteOptions } from './client-options.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const { databaseSafety } = (await import(pathToFileURL(`${root}tools/database-safety.mjs`).href)) as {
  databaseSafety: Linter.Config[];
};

function lint(code: string, file: string): string[] {
  const parser = { files: ['**/*.ts'], languageOptions: { parser: tseslint.parser as Linter.Parser } };
  return new Linter({ cwd: root })
    .verify(code, [parser, ...databaseSafety], { filename: `${root}${file}` })
    .map(({ message }) => message);
}

describe('the lint rules', () => {
  it.each([
    ['new DataSource({ type: "postgres" })'],
    ['new typeorm.DataSource(options)'],
    ['new Client({ host })'],
    ['new pg.Client()'],
    ['new pg.Pool()'],
    ['const o = { synchronize: true }'],
    ['const o = { "synchronize": true }'],
    ['const o = { dropSchema: true }'],
    ['const o = { migrationsRun: true }'],
    ['const o = { extra: {} }'],
    ['const o = { replication: { master } }'],
    ['await dataSource.synchronize(true)'],
    ['await dataSource.dropDatabase()'],
    ['await dataSource.runMigrations()'],
    ['TypeOrmModule.forRoot({ type: "postgres" })'],
    ['import { useTestDatabase } from "@airlock/database-dev/testing"'],
    ['import { startCluster } from "@airlock/embedded-postgres"'],
    ['import { migrations } from "@airlock/database/internal"'],
    ['await import("@airlock/database-dev/testing/reset")'],
    ['import { TestIssuer } from "@airlock/service/testing"'],
    ['await import("@airlock/service/documents")'],
  ])('refuse %s', (code) => {
    expect(lint(code, 'apps/api/src/thing.ts')).toHaveLength(1);
  });

  it('allow new sessions only in the two files that create them', () => {
    expect(lint('new Client(createClientOptions(a, c))', 'libs/database/src/connect/client.ts')).toEqual([]);
    expect(lint('new DataSource({ extra: {} })', 'libs/database/src/connect/data-source.ts')).toHaveLength(1);
    expect(lint('new DataSource({ synchronize: true })', 'libs/database/src/connect/data-source.ts')).toHaveLength(1);
  });
});

describe('the types', () => {
  it('have no option that could change a schema or redirect a connection', () => {
    const isNeverRun = (config: Config) => [
      // @ts-expect-error changes the schema at start
      createDataSource(config, { entities: [], synchronize: true }),
      // @ts-expect-error empties the database at start
      createDataSource(config, { entities: [], dropSchema: true }),
      // @ts-expect-error would win over the discrete fields
      createDataSource(config, { entities: [], extra: { database: 'other' } }),
      // @ts-expect-error would win over the discrete fields
      createDataSource(config, { entities: [], url: 'postgres://other/other' }),
      // @ts-expect-error a second server
      createDataSource(config, { entities: [], replication: { master: {}, slaves: [] } }),
      // @ts-expect-error migrations are a release step
      createDataSource(config, { entities: [], migrationsRun: true }),
    ];
    // @ts-expect-error a text that pg would parse in its own way
    const options: Partial<DiscreteOptions> = { connectionString: 'postgres://other/other' };
    expect([isNeverRun, options]).toBeDefined();
  });
});
