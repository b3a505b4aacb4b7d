import { clipIdentifier, LONGEST_IDENTIFIER_BYTES } from '@airlock/database/model';
import { nameOf, quoteIdentifier } from '../syntax/names.js';
import { alterCommands, type LintRule, steps } from './lint-rule.js';
import { tokensOf } from '../syntax/source-text.js';
import { settingsOf } from '../syntax/sql-settings.js';
import { unqualifiedNames } from '../syntax/unqualified.js';

/** Statements that the linter cannot analyse, or that change the effect of other statements. */
export const hiddenRules: readonly LintRule[] = [
  {
    name: 'do-block',
    find: ({ node }) =>
      'DoStmt' in node
        ? {
            problem: 'a DO block runs statements that the rules cannot see',
            instead: 'write the statements directly, and use a job for work that depends on the data',
          }
        : undefined,
  },
  {
    name: 'lock-table',
    find: ({ node }) =>
      'LockStmt' in node
        ? {
            problem: 'LOCK TABLE blocks other sessions until the migration ends',
            instead: 'remove it: each statement takes the lock that it needs',
          }
        : undefined,
  },
  {
    name: 'disable-trigger',
    find: (statement) =>
      alterCommands(statement)
        .filter(({ cmd }) => /^AT_(DisableTrig|DisableRule|EnableReplica)/.test(cmd.subtype ?? ''))
        .map(({ table, cmd }) => ({
          problem: `without ${cmd.name === undefined ? 'its triggers' : quoteIdentifier(cmd.name)}, ${table} accepts rows that break its rules, foreign keys included`,
          instead:
            cmd.name === undefined
              ? 'drop each unused trigger by name, in a contract'
              : `in a contract, once nothing relies on it:\n${steps(`DROP TRIGGER ${quoteIdentifier(cmd.name)} ON ${table}`)}`,
        })),
  },
  {
    name: 'session-replication-role',
    find: ({ node }) =>
      settingsOf(node).includes('session_replication_role')
        ? {
            problem: 'session_replication_role switches off every trigger and foreign key',
            instead: 'remove it: write rows that the constraints accept',
          }
        : undefined,
  },
  {
    name: 'session-setting',
    find: ({ node }) =>
      settingsOf(node)
        .filter((name) => name !== 'session_replication_role')
        .map((name) => ({
          problem: `${name} is set by the runner, the same for every migration`,
          instead: 'remove it: lock_timeout, statement_timeout, search_path and the role are already set',
        })),
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
        'AlterDatabaseStmt',
        'AlterSystemStmt',
      ].some((kind) => kind in node) ||
      ('RenameStmt' in node && /^OBJECT_(ROLE|DATABASE)$/.test(node.RenameStmt.renameType ?? ''))
        ? {
            problem: 'roles and settings belong to the server, and every environment has its own',
            instead: 'provisioning creates them: airlock db provision',
          }
        : undefined,
  },
  {
    name: 'grant-to-public',
    find: ({ node }) => {
      const { is_grant: isGrant, grantees = [] } =
        'GrantStmt' in node
          ? node.GrantStmt
          : 'AlterDefaultPrivilegesStmt' in node
            ? (node.AlterDefaultPrivilegesStmt.action ?? {})
            : {};
      return isGrant && grantees.some((role) => 'RoleSpec' in role && role.RoleSpec.roletype === 'ROLESPEC_PUBLIC')
        ? {
            problem: 'PUBLIC is every role, future roles included',
            instead: 'remove it: default privileges give the application its rights',
          }
        : undefined;
    },
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
            problem: `${kind} ${quoteIdentifier(name ?? '')} changes what every write to ${nameOf(table)} does, and the code does not show it`,
            instead: `do it in the code; if it must be a ${kind}, say why: allow: { 'create-trigger': '<why>' }`,
          };
    },
  },
  {
    name: 'unqualified-name',
    find: ({ node, isNested }) =>
      (isNested ? [] : unqualifiedNames(node)).map((name) => ({
        problem: `${quoteIdentifier(name)} has no schema`,
        instead: `public.${quoteIdentifier(name)}`,
      })),
  },
  {
    name: 'long-identifier',
    find: ({ sql, unreadable }) =>
      (unreadable === undefined ? tokensOf(sql) : [])
        .filter(({ tokenName }) => tokenName === 'IDENT')
        .map(({ text }) => (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text))
        .filter((name) => Buffer.byteLength(name) > LONGEST_IDENTIFIER_BYTES)
        .map((name) => ({
          problem: `${quoteIdentifier(name)} has ${Buffer.byteLength(name)} bytes and is silently cut to ${quoteIdentifier(clipIdentifier(name))}`,
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
            problem: `${table} is altered twice: it stays locked for the time of both statements`,
            instead: `one ALTER TABLE ${table} with both parts, or two migrations`,
          }
        : undefined;
    },
  },
];
