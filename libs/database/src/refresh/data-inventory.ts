import type { Classes, ColumnClass, Mask } from '../model/column-classes.js';

const HEAD = `# Data inventory

Every column of the product, its class, and what a [copy for staging](runbooks/restore.md#a-copy-for-staging) has in its place.
Generated from the classes beside the entities; update it with \`airlock db inventory --write\`.
`;

/** The page docs/data-inventory.md, formatted as the format check expects. */
export function renderInventory(classes: Classes): string {
  const sections = Object.entries(classes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [HEAD, ...sections.map(([table, columns]) => `## ${table}\n\n${renderColumns(columns)}\n`)].join('\n');
}

function renderColumns(columns: Classes[string]): string {
  const rows = Object.entries(columns).map(([name, of]) => [`\`${name}\``, nameOf(of), describe(of)]);
  const all = [['column', 'class', 'in a copy'], ...rows];
  const widths = [0, 1, 2].map((place) => Math.max(...all.map((row) => row[place]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, place) => cell.padEnd(widths[place]!)).join(' | ')} |`;
  const [head, ...body] = all.map(line);
  return [head, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body].join('\n');
}

const nameOf = (of: ColumnClass): string => (typeof of === 'string' ? of : of.class);

function describe(of: ColumnClass): string {
  if (of === 'secret') return 'nothing: the default of the column';
  if (of === 'key') return 'as the column that its foreign key points at';
  if (typeof of === 'string') return 'the same';
  if (of.class !== 'personal') return `always \`${of.value}\``;
  return describeMask(of.mask) + (of.nulls === 'masked' ? ', also for NULL' : '');
}

function describeMask(mask: Mask): string {
  if (mask === 'type') return 'another value of its type';
  if (typeof mask === 'string') return `another ${mask}`;
  if (mask.kind === 'constant') return `always \`${mask.value}\``;
  if (mask.kind === 'identifier')
    return `a pseudonym${mask.prefix && ` \`${mask.prefix}…\``}${mask.isPerson ? ' of the person' : ''}`;
  const paths = Object.entries(mask.paths).map(
    ([path, rule]) => `\`${path}\` (${typeof rule === 'string' ? rule : 'pseudonym'})`,
  );
  return paths.length === 0 ? 'an empty document' : `a document with ${paths.join(', ')}`;
}
