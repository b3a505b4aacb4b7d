import { beforeAll, describe, expect, it } from '@jest/globals';
import { model } from '@airlock/model';
import { probedResource } from '@airlock/model/probed-resource';
import { findProductNames, listCreatedTables, loadProductNames } from './product-names.js';
import { listFiles, readText } from './repository.js';

/** Everything that takes updates without knowing what the product is about. */
const HOUSE = /^(libs\/(?!model\/)|apps\/(cli|smoke)\/|tools\/|docker\/)/;
/** They make tables of their own, and one may be called as a table of the product is. */
const TESTS = /\.(spec|fixture)\.ts$|\/lint\/cases\//;

describe('the house', () => {
  let names: readonly RegExp[];
  let namesInTests: readonly RegExp[];

  beforeAll(async () => {
    names = await loadProductNames();
    const tests = listFiles(HOUSE).filter((path) => TESTS.test(path));
    namesInTests = await loadProductNames(tests.flatMap((path) => listCreatedTables(readText(path))));
  });

  it('names no table, entity, migration or resource of the product', () => {
    const found = listFiles(HOUSE).flatMap((path) =>
      findProductNames(readText(path), TESTS.test(path) ? namesInTests : names).map((line) => `${path}:${line}`),
    );
    // Take it from `@airlock/model`, handed over by a program, or use the sample model of `libs/database`.
    expect(found).toEqual([]);
  });

  it.each([
    ['a statement', (table: string) => `SELECT count(*) FROM ${table} WHERE id = $1`],
    ['a qualified name', (table: string) => `'public.${table}'::regclass`],
    ['a constraint', (table: string) => `${table}_pkey`],
    ['a route', (table: string) => `get('/api/v1/${table}')`],
  ])('is found to name a table in %s', (_, write) => {
    for (const table of Object.keys(model.columns)) expect(findProductNames(write(table), names)).toHaveLength(1);
  });

  it('is found to name an entity, a migration and a resource', async () => {
    const entities = await model.loadEntities();
    const words = [...entities, ...model.migrations].map(({ name }) => name);
    for (const word of [...words, probedResource.path]) expect(findProductNames(`x ${word} y`, names)).toHaveLength(1);
  });

  it('may use ordinary words and what TypeORM calls them', () => {
    expect(findProductNames('createDataSource(config, { entities: [] }) // no table of it', names)).toEqual([]);
  });
});
