import { model } from '@airlock/model';
import { probedResource } from '@airlock/model/probed-resource';

/**
 * Names that only the product may use: those in its model, each as a pattern that matches no ordinary text.
 *
 * @param homonyms tables of the product that are left out
 */
export async function loadProductNames(homonyms: readonly string[] = []): Promise<readonly RegExp[]> {
  const entities = await model.loadEntities();
  const words = [...entities.map(({ name }) => name), ...model.migrations.map(({ name }) => name)];
  return [
    ...Object.keys(await model.loadClasses())
      .filter((table) => !homonyms.includes(table))
      .flatMap(describeTable),
    ...words.map((word) => new RegExp(`\\b${word}\\b`)),
    new RegExp(`${probedResource.path}\\b`),
  ];
}

/** A table may have a common word as its name; the schema, the statement, a constraint or the route identifies it. */
function describeTable(table: string): RegExp[] {
  const before = '(?:FROM|JOIN|INTO|UPDATE|TABLE|ONLY|ON|ANALYZE|VACUUM|REFERENCES)';
  return [
    new RegExp(`\\bpublic\\."?${table}\\b`),
    new RegExp(`\\b${before} "?${table}\\b`),
    new RegExp(`\\b${table}_[a-z]`),
    new RegExp(`/api/v\\d+/${table}\\b`),
  ];
}

/** The tables that a text itself creates. */
export function listCreatedTables(text: string): string[] {
  return [...text.matchAll(/\bCREATE (?:UNLOGGED )?TABLE (?:public\.)?(\w+)/g)].map(([, table = '']) => table);
}

/** @returns `line: text` for each line with a name of the product */
export function findProductNames(text: string, names: readonly RegExp[]): string[] {
  return text
    .split('\n')
    .flatMap((line, index) => (names.some((name) => name.test(line)) ? [`${index + 1}: ${line.trim()}`] : []));
}
