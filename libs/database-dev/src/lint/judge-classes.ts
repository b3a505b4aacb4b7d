import { existsSync, globSync, readFileSync } from 'node:fs';
import { type ColumnFacts, findUnclassified, readTables, type TableFacts } from '@airlock/database/internal';
import type { Model } from '@airlock/database/model';
import type { Client } from 'pg';
import type { LintFinding } from './rules/lint-rule.js';

export const CLASS_RULE = 'unclassified-column';

/** Remembers which migration created a column, and finds at the end those that no class says anything about. */
export class ColumnClasses {
  readonly #model: Pick<Model, 'folder' | 'loadClasses'>;
  readonly #creators = new Map<string, string>();

  constructor(model: Pick<Model, 'folder' | 'loadClasses'>) {
    this.#model = model;
  }

  async note(client: Client, migration: string): Promise<void> {
    for (const { table, columns } of await readTables(client))
      for (const { name } of columns) {
        const column = `${table}.${name}`;
        if (!this.#creators.has(column)) this.#creators.set(column, migration);
      }
  }

  /** @param last the migration that a class without a column is reported with */
  async judge(client: Client, last: string): Promise<LintFinding[]> {
    const tables = await readTables(client);
    const unclassified = findUnclassified({ tables, classes: await this.#model.loadClasses() });
    return unclassified.map(({ table, column, problem }) => ({
      migration: this.#creators.get(`${table}.${column}`) ?? last,
      statement: undefined,
      rule: CLASS_RULE,
      problem: `${table}.${column} ${problem}`,
      instead:
        problem === 'has no class'
          ? this.#suggest(table, column, tables)
          : `remove ${column} in ${this.#findFile(table)}`,
    }));
  }

  #suggest(table: string, column: string, tables: readonly TableFacts[]): string {
    const facts = tables.find((one) => one.table === table)?.columns.find(({ name }) => name === column);
    return (
      `in ${this.#findFile(table)}, say what a copy of production may show; if it is about a person:\n` +
      `  ${column}: ${suggestMask(facts)},\n` +
      `otherwise 'public', 'internal', 'secret', or 'key' for a column of a foreign key`
    );
  }

  /** The file that classifies the table, or the one in which a table without an entity has its line. */
  #findFile(table: string): string {
    const { folder } = this.#model;
    if (!existsSync(folder)) return 'entities/index.ts';
    const isOf = (path: string) => readFileSync(new URL(path, folder), 'utf8').includes(`('${table}',`);
    const file = globSync('**/*.entity.ts', { cwd: folder.pathname }).find(isOf) ?? 'entities/index.ts';
    return folder.pathname.replace(/^.*?(libs\/)/, '$1') + file;
  }
}

function suggestMask(facts: ColumnFacts | undefined): string {
  if (/^(text|varchar|bpchar|citext|name)$/.test(facts?.base ?? '')) return `personal('text')`;
  return /^jsonb?$/.test(facts?.base ?? '') ? 'personal(json())' : 'personal()';
}
