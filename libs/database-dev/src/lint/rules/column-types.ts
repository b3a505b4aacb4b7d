import type { ColumnDef, Node, RangeVar } from 'libpg-query';
import { nameOf, qualify, quoteIdentifier } from '../syntax/names.js';
import type { ParsedStatement } from '../syntax/statement.js';
import { constraintsOf, typeOf } from './lint-rule.js';

/** A column, an attribute of a composite type or a domain, as the rules about types need it. */
export interface ColumnType {
  /** `schema.table.column` or `schema.domain` */
  readonly where: string;
  /** The beginning of its definition, before the type. */
  readonly definition: string;
  readonly type: string;
  readonly hasLength: boolean;
  /** The whole primary key. */
  readonly isKey: boolean;
}

/** Types in the text: of tables, foreign tables and composite types, of columns that ALTER adds, and of domains. */
export function definedTypes({ node }: ParsedStatement): ColumnType[] {
  if ('CreateStmt' in node) return listElements(node.CreateStmt.relation, node.CreateStmt.tableElts);
  if ('CreateForeignTableStmt' in node) {
    const { base } = node.CreateForeignTableStmt;
    return listElements(base?.relation, base?.tableElts);
  }
  if ('CompositeTypeStmt' in node)
    return listElements(node.CompositeTypeStmt.typevar, node.CompositeTypeStmt.coldeflist);
  if ('CreateDomainStmt' in node) {
    const { domainname, typeName } = node.CreateDomainStmt;
    const where = qualify(domainname);
    return typeName === undefined ? [] : [describeType({ typeName }, { where, definition: `${where} AS` })];
  }
  if (!('AlterTableStmt' in node)) return [];
  const { relation, cmds = [], objtype } = node.AlterTableStmt;
  return cmds.flatMap((cmd) => {
    const { subtype, name, def } = 'AlterTableCmd' in cmd ? cmd.AlterTableCmd : {};
    if (def === undefined || !('ColumnDef' in def)) return [];
    // The trace shows the new type of a table's column, and whether only the length differs.
    const isChange = subtype === 'AT_AlterColumnType' && objtype !== 'OBJECT_TABLE';
    return subtype === 'AT_AddColumn' || isChange
      ? [describeColumn(relation, { colname: name ?? '', ...def.ColumnDef })]
      : [];
  });
}

function listElements(relation: RangeVar | undefined, elements: readonly Node[] = []): ColumnType[] {
  return elements.flatMap((element) => ('ColumnDef' in element ? [describeColumn(relation, element.ColumnDef)] : []));
}

function describeColumn(relation: RangeVar | undefined, column: ColumnDef): ColumnType {
  const name = quoteIdentifier(column.colname ?? '');
  return describeType(column, { where: `${nameOf(relation)}.${name}`, definition: name });
}

function describeType(column: ColumnDef, names: Pick<ColumnType, 'where' | 'definition'>): ColumnType {
  return {
    ...names,
    type: typeOf(column),
    hasLength: column.typeName?.typmods !== undefined,
    isKey: constraintsOf(column).some(({ contype }) => contype === 'CONSTR_PRIMARY'),
  };
}
