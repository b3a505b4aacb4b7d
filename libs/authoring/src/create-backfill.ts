import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Model } from '@airlock/database/model';
import { addToList, assertListName, assertVariable, toCamelCase } from './model-list.js';
import { AuthoringRefusal } from './refusal.js';

export interface NewBackfill extends Pick<Model, 'folder' | 'migrations'> {
  /** What the backfill does, in kebab case: `fill-nickname`. */
  readonly name: string;
  /** The expand that adds the columns; the last one by default. */
  readonly follows?: string | undefined;
}

/** Writes a backfill and adds it to the list. Returns the path of its file. @throws AuthoringRefusal */
export function createBackfill({ name, folder, migrations, follows }: NewBackfill): string {
  assertListName(name, 'backfill');
  const expands = migrations.filter(({ phase }) => phase === 'expand').map((migration) => migration.name);
  const expand = follows ?? expands.at(-1);
  if (expand === undefined || !expands.includes(expand))
    throw new AuthoringRefusal(
      `--follows ${follows ?? ''}: no such expand; expected one of\n  ${expands.join('\n  ')}`,
    );
  const backfills = fileURLToPath(new URL('backfills/', folder));
  const [file, indexFile] = [join(backfills, `${name}.ts`), join(backfills, 'index.ts')];
  const index = readFileSync(indexFile, 'utf8');
  const variable = toCamelCase(name);
  assertVariable({ name, variable, index, what: 'backfill' }, 'defineBackfill');
  writeFileSync(file, createSource({ name, variable, expand }), { flag: 'wx' });
  writeFileSync(indexFile, addToList(index, name, variable));
  return file;
}

function createSource({ name, variable, expand }: { name: string; variable: string; expand: string }): string {
  return `import { defineBackfill } from '@airlock/database/model';

export const ${variable} = defineBackfill({
  name: '${name}',
  follows: '${expand}',
  table: 'public.table',
  set: { column: \`lower(other_column)\` },
  where: \`column IS NULL\`,
});
`;
}
