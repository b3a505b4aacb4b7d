import { alterCommands, type Rule } from '../rule.js';
import { nameOf, stringsOf } from '../statement.js';

const LONGEST_IDENTIFIER_BYTES = 63;

/** What the linter cannot look into, or what changes how everything else behaves. */
export const hiddenRules: readonly Rule[] = [
  {
    name: 'do-block',
    find: ({ node }) =>
      'DoStmt' in node
        ? {
            problem: 'a DO block runs statements that no rule can see',
            instead: 'write the statements themselves; what depends on the data is a job',
          }
        : undefined,
  },
  {
    name: 'lock-table',
    find: ({ node }) =>
      'LockStmt' in node
        ? {
            problem: 'LOCK TABLE holds others up until the migration ends',
            instead: 'leave it out: each statement takes the lock that it needs',
          }
        : undefined,
  },
  {
    name: 'disable-trigger',
    find: (statement) =>
      alterCommands(statement)
        .filter(({ cmd }) => /^AT_(DisableTrig|DisableRule|EnableReplica)/.test(cmd.subtype ?? ''))
        .map(({ table, cmd }) => ({
          problem: `switching off ${cmd.name ?? 'the triggers'} of ${table} lets rows past every check, foreign keys included`,
          instead: `DROP TRIGGER ${cmd.name ?? '<name>'} ON ${table} in a contract, once nothing relies on it`,
        })),
  },
  {
    name: 'session-replication-role',
    find: ({ node }) =>
      'VariableSetStmt' in node && node.VariableSetStmt.name === 'session_replication_role'
        ? {
            problem: 'session_replication_role switches off every trigger and foreign key',
            instead: 'never in a migration: write rows that the constraints accept',
          }
        : undefined,
  },
  {
    name: 'session-setting',
    find: ({ node }) =>
      'VariableSetStmt' in node && node.VariableSetStmt.name !== 'session_replication_role'
        ? {
            problem: `${node.VariableSetStmt.name ?? 'the session'} is set by the runner, the same for every migration`,
            instead: 'leave it out: lock_timeout, statement_timeout, search_path and the role are given',
          }
        : undefined,
  },
  {
    name: 'role-change',
    find: ({ node }) =>
      [
        'CreateRoleStmt',
        'AlterRoleStmt',
        'AlterRoleSetStmt',
        'DropRoleStmt',
        'GrantRoleStmt',
        'AlterDatabaseSetStmt',
      ].some((kind) => kind in node)
        ? {
            problem: 'roles and settings belong to the server, and every environment has its own',
            instead: 'provisioning makes them: airlock db provision',
          }
        : undefined,
  },
  {
    name: 'grant-to-public',
    find: ({ node }) =>
      'GrantStmt' in node &&
      node.GrantStmt.is_grant &&
      (node.GrantStmt.grantees ?? []).some((role) => 'RoleSpec' in role && role.RoleSpec.roletype === 'ROLESPEC_PUBLIC')
        ? {
            problem: 'PUBLIC is every role there is and will be',
            instead: 'leave it out: default privileges give the application what it needs',
          }
        : undefined,
  },
  {
    name: 'create-trigger',
    find: ({ node }) => {
      const [kind, name, table] =
        'CreateTrigStmt' in node
          ? (['trigger', node.CreateTrigStmt.trigname, node.CreateTrigStmt.relation] as const)
          : 'RuleStmt' in node
            ? (['rule', node.RuleStmt.rulename, node.RuleStmt.relation] as const)
            : [];
      return kind === undefined
        ? undefined
        : {
            problem: `${kind} ${name} changes what every write to ${nameOf(table)} does, out of the code's sight`,
            instead: `do it in the code; if it must be a ${kind}, say why: allow: { 'create-trigger': '<why>' }`,
          };
    },
  },
  {
    name: 'unqualified-name',
    find: ({ node }) =>
      targetsOf(node)
        .filter((name) => !name.includes('.'))
        .map((name) => ({
          problem: `${name} names no schema`,
          instead: `public.${name}`,
        })),
  },
  {
    name: 'long-identifier',
    find: ({ sql }) =>
      (sql.match(/"[^"]+"|[A-Za-z_][\w$]*/g) ?? [])
        .map((word) => word.replaceAll('"', ''))
        .filter((word) => Buffer.byteLength(word) > LONGEST_IDENTIFIER_BYTES)
        .map((word) => ({
          problem: `${word} has ${Buffer.byteLength(word)} bytes and is cut to ${word.slice(0, LONGEST_IDENTIFIER_BYTES)} in silence`,
          instead: `a name of ${LONGEST_IDENTIFIER_BYTES} bytes at most`,
        })),
  },
  {
    name: 'several-alters',
    find: ({ node, earlier, created }) => {
      if (!('AlterTableStmt' in node)) return undefined;
      const table = nameOf(node.AlterTableStmt.relation);
      const isAgain = earlier.some(
        (other) => 'AlterTableStmt' in other && nameOf(other.AlterTableStmt.relation) === table,
      );
      return isAgain && !created.has(table)
        ? {
            problem: `${table} is altered twice: it is locked for as long as both take`,
            instead: `one ALTER TABLE ${table} with both parts, or two migrations`,
          }
        : undefined;
    },
  },
];

function targetsOf(node: Parameters<Rule['find']>[0]['node']): string[] {
  if ('CreateStmt' in node) return [nameOf(node.CreateStmt.relation)];
  if ('AlterTableStmt' in node) return [nameOf(node.AlterTableStmt.relation)];
  if ('IndexStmt' in node) return [nameOf(node.IndexStmt.relation)];
  if ('UpdateStmt' in node) return [nameOf(node.UpdateStmt.relation)];
  if ('DeleteStmt' in node) return [nameOf(node.DeleteStmt.relation)];
  if ('InsertStmt' in node) return [nameOf(node.InsertStmt.relation)];
  if ('ViewStmt' in node) return [nameOf(node.ViewStmt.view)];
  if ('CreateEnumStmt' in node) return [stringsOf(node.CreateEnumStmt.typeName).join('.')];
  return [];
}
