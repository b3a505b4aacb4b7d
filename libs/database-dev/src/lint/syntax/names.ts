import { type Node, type RangeVar, scanSync } from 'libpg-query';
import { clipIdentifier } from '@airlock/database/model';

const BARE = /^[a-z_][a-z0-9_]*$/;
const FREE_WORDS = new Set(['NO_KEYWORD', 'UNRESERVED_KEYWORD']);

/** Like PostgreSQL's quote_ident: quoted unless the bare name is read the same. */
export function quoteIdentifier(name: string): string {
  const [token] = BARE.test(name) ? scanSync(name).tokens : [];
  return token && FREE_WORDS.has(token.keywordName) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** `schema.name`; absent parts are omitted. */
export function quoteName(...parts: readonly (string | undefined)[]): string {
  return parts
    .filter((part) => part !== undefined && part !== '')
    .map((part) => quoteIdentifier(part as string))
    .join('.');
}

export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}

export function nameOf(relation: RangeVar | undefined): string {
  return quoteName(relation?.schemaname, relation?.relname);
}

/** `a, "B"`: the names in a list of strings. */
export function quoteList(nodes: readonly Node[] | undefined): string {
  return stringsOf(nodes).map(quoteIdentifier).join(', ');
}

/** `schema.name` of a name that the parser gives as a list of its parts. */
export function qualify(nodes: readonly Node[] | undefined): string {
  return quoteName(...stringsOf(nodes));
}

/** The name of an object in DROP, ALTER and COMMENT, without the arguments of a function. */
export function objectName(object: Node | undefined): string {
  if (object === undefined) return '';
  if ('List' in object) return qualify(object.List.items);
  if ('TypeName' in object) return qualify(object.TypeName.names);
  if ('ObjectWithArgs' in object) return qualify(object.ObjectWithArgs.objname);
  return qualify([object]);
}

export function stringsOf(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((node) => ('String' in node ? [node.String.sval ?? ''] : []));
}

/** A name in the form of PostgreSQL's generated names: `table_column_fkey`, shortened so that the label fits. */
export function inventName(parts: readonly (string | undefined)[], label: string): string {
  return quoteIdentifier(
    `${clipIdentifier(parts.filter(Boolean).join('_'), LONGEST_STEM - Buffer.byteLength(label))}_${label}`,
  );
}

const LONGEST_STEM = 62;
