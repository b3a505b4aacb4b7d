import type { AlterDomainStmt, Node } from 'libpg-query';
import { domainOf } from '../syntax/domains.js';
import { qualify, quoteIdentifier } from '../syntax/names.js';
import { type ParsedStatement, someNode } from '../syntax/statement.js';
import { alterRule, type LintProblem, type LintRule, steps } from './lint-rule.js';

/** The kinds of ALTER DOMAIN, as the parser spells them. */
const [ADD_CONSTRAINT, SET_NOT_NULL, VALIDATE, DROP_CONSTRAINT, DROP_NOT_NULL] = ['C', 'O', 'V', 'X', 'N'];

/** A domain hides the constraints of its columns, and PostgreSQL has fewer ways to check them later. */
export const domainRules: readonly LintRule[] = [
  {
    name: 'constrained-domain',
    find: ({ node }) => {
      const [domain, isChecked] = constrainedDomain(node);
      return domain === undefined
        ? undefined
        : {
            problem: isChecked
              ? `checking the constraint of domain ${domain} scans every table that uses it under a lock that blocks writes`
              : `changing the constraint of domain ${domain} later scans every table that uses it`,
            instead: 'put the CHECK on the column of each table',
          };
    },
  },
  alterRule('add-domain-column', 'AT_AddColumn', ({ table, column }, statement) => {
    const domain = domainOf(statement, column);
    const name = quoteIdentifier(column?.colname ?? '');
    return domain?.isConstrained
      ? {
          problem: `the constraint of domain ${domain.name} is checked in every row: adding ${table}.${name} rewrites ${table} under an ACCESS EXCLUSIVE lock`,
          instead: `use the base type, add the constraint to ${table} NOT VALID, and validate it in the next migration:\n${steps(`ALTER TABLE ${table} ADD COLUMN ${name} ${domain.base}`)}`,
        }
      : undefined;
  }),
];

export function dropDomainConstraint(statement: ParsedStatement): LintProblem | undefined {
  const domain = alteredDomain(statement.node, [DROP_CONSTRAINT], statement.created);
  const name = quoteIdentifier('AlterDomainStmt' in statement.node ? (statement.node.AlterDomainStmt.name ?? '') : '');
  return domain === undefined
    ? undefined
    : {
        problem: `without ${name}, columns of domain ${domain} accept values that the code may not expect`,
        instead: `keep ${name}; if it must be dropped, say why: allow: { 'drop-constraint': '<what checks it from now on>' }`,
      };
}

export function dropDomainNotNull({ node, created }: ParsedStatement): LintProblem | undefined {
  const domain = alteredDomain(node, [DROP_NOT_NULL], created);
  return domain === undefined
    ? undefined
    : {
        problem: `columns of domain ${domain} may be NULL from now on, and the running code reads them as values`,
        instead: `release code that accepts NULL first, then state the release: allow: { 'drop-not-null': '<since which release>' }`,
      };
}

/** The domain that gets a constraint, or whose constraint is validated, and whether PostgreSQL checks it at once. */
function constrainedDomain(node: Node): [domain?: string, isChecked?: boolean] {
  if ('CreateDomainStmt' in node) {
    const { domainname, constraints = [] } = node.CreateDomainStmt;
    return constraints.some(isConstraint) ? [qualify(domainname), false] : [];
  }
  const domain = alteredDomain(node, [ADD_CONSTRAINT, SET_NOT_NULL, VALIDATE]);
  return domain === undefined ? [] : [domain, !someNode(node, (_, body) => body?.['skip_validation'] === true)];
}

/** A DEFAULT and NULL are in the same list. */
function isConstraint(node: Node): boolean {
  return 'Constraint' in node && /^CONSTR_(CHECK|NOTNULL)$/.test(node.Constraint.contype ?? '');
}

function alteredDomain(
  node: Node,
  kinds: readonly AlterDomainStmt['subtype'][],
  created: ReadonlySet<string> = new Set(),
): string | undefined {
  if (!('AlterDomainStmt' in node) || !kinds.includes(node.AlterDomainStmt.subtype)) return undefined;
  const domain = qualify(node.AlterDomainStmt.typeName);
  return created.has(domain) ? undefined : domain;
}
