import { beforeAll, describe, expect, it } from '@jest/globals';
import { model } from '@airlock/model';
import { probedResource } from '@airlock/model/probed-resource';
import { findProductNames, listCreatedTables, loadProductNames } from './product-names.js';
import { listFiles, readText } from './repository.js';

/** All files that take updates and must not depend on the product's subject. `provider-connections` has tables in the model. */
const HOUSE = /^(libs\/(?!model\/|jobs\/|provider-connections\/)|apps\/(cli|smoke)\/|tools\/|docker\/)/;
/** These create their own tables, which may share the name of a product table. */
const TESTS = /\.(spec|fixture)\.ts$|\/lint\/cases\//;

describe('the workspace without its product', () => {
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
    // Import it from `@airlock/model`, passed on by a program, or use the sample model of `libs/database`.
    expect(found).toEqual([]);
  });

  it.each([
    ['a statement', (table: string) => `SELECT count(*) FROM ${table} WHERE id = $1`],
    ['a qualified name', (table: string) => `'public.${table}'::regclass`],
    ['a constraint', (table: string) => `${table}_pkey`],
    ['a route', (table: string) => `get('/api/v1/${table}')`],
  ])('is caught naming a table in %s', async (_, write) => {
    const tables = Object.keys(await model.loadClasses());
    for (const table of tables) expect(findProductNames(write(table), names)).toHaveLength(1);
  });

  it('is caught naming an entity, a migration and a resource', async () => {
    const entities = await model.loadEntities();
    const words = [...entities, ...model.migrations].map(({ name }) => name);
    for (const word of [...words, probedResource.path]) expect(findProductNames(`x ${word} y`, names)).toHaveLength(1);
  });

  it('may use ordinary words and the terms of TypeORM', () => {
    expect(findProductNames('createDataSource(config, { entities: [] }) // no table of it', names)).toEqual([]);
  });
});
