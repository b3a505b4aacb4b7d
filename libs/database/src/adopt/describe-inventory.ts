import type { FoundTable, Inventory } from './inventory.js';

/** For a terminal: what is there, what adoption changes, and what a person has to decide. */
export function describeInventory(found: Inventory, { app }: { app: string }): string {
  const { database, owner, bytes, locale, tables, objects, roles, kept, notes, typeorm, refusals } = found;
  const unprotected = tables.filter(({ isProtected }) => !isProtected);
  return [
    `${database}: ${printSize(bytes)}, owned by ${owner}, ${locale}${found.stamp ? `, stamped ${found.stamp.environment}` : ', no stamp'}`,
    ...section(`${tables.length} tables`, alignTables(tables)),
    ...section(
      'other objects',
      Object.entries(objects).map(([kind, names]) => `${kind} (${names.length}): ${names.join(', ')}`),
    ),
    ...section('migrations of TypeORM', [
      typeorm
        ? `${typeorm.table} has ${typeorm.count}, the last one ${typeorm.last ?? 'unknown'}; the table stays, and nothing writes to it any more`
        : 'no such table',
    ]),
    ...section(
      'roles, whose rights and ownership end',
      Object.entries(roles).flatMap(([role, lines]) =>
        lines.map((line) => `${role}: ${line}${role === app ? '; goes on as the application' : ''}`),
      ),
    ),
    ...section(
      'without a primary key',
      tables.filter(({ hasPrimaryKey }) => !hasPrimaryKey).map(({ name }) => name),
    ),
    ...section(`row-level security is missing on ${unprotected.length} tables`, unprotected.map(suggestProtection)),
    ...section('stays in this database alone, because no migration creates it', kept),
    ...section('to know', notes),
    ...section('refused until it is changed', refusals),
  ].join('\n');
}

const section = (title: string, lines: readonly string[]) =>
  lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];

function alignTables(tables: readonly FoundTable[]): string[] {
  const width = Math.max(...tables.map(({ name }) => name.length));
  return tables.map(({ name, rows, bytes }) => {
    const count = rows < 0 ? 'never analysed' : `about ${Math.round(rows)} rows`;
    return `${name.padEnd(width)}  ${count}, ${printSize(bytes)}`;
  });
}

function suggestProtection({ name, owners, parents }: FoundTable): string {
  const table = name.replace(/^public\./, '');
  if (table.includes('.')) return `${name}: is not in schema public; move it there, or protect it by hand`;
  if (!owners[0] && !parents[0])
    return `${name}: has no owner column, and no key that leads to one; add one, or choose --shared or --system`;
  return `airlock new protection ${table} ${owners[0] ? `--owner ${owners[0]}` : `--through ${parents[0]}`}`;
}

function printSize(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const place = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1024)), units.length - 1);
  return `${Number((bytes / 1024 ** place).toPrecision(3))} ${units[place]}`;
}
