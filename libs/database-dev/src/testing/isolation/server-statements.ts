import type { Node } from 'libpg-query';
import { someNode } from '../../lint/syntax/statement.js';
import { stringsOf } from '../../lint/syntax/names.js';
import { readKnownStatements } from './routine-body.js';

/** A change of an object that belongs to the server, and not to one of its databases. */
export interface ServerChange {
  readonly objects: string;
  /** The change is allowed if all of these are the database of the test. */
  readonly databases?: readonly string[];
}

const DATABASES = 'the databases';
const ROLES = 'the roles';
const SETTINGS = 'the settings';
const SUBSCRIPTIONS = 'the subscriptions';
const TABLESPACES = 'the tablespaces';

const KINDS: Readonly<Record<string, string>> = {
  CreateRoleStmt: ROLES,
  AlterRoleStmt: ROLES,
  AlterRoleSetStmt: ROLES,
  DropRoleStmt: ROLES,
  GrantRoleStmt: 'the memberships of roles',
  // Both also change databases and tablespaces.
  ReassignOwnedStmt: 'the owners and grants',
  DropOwnedStmt: 'the owners and grants',
  CreatedbStmt: DATABASES,
  DropdbStmt: DATABASES,
  AlterDatabaseStmt: DATABASES,
  AlterDatabaseSetStmt: DATABASES,
  AlterDatabaseRefreshCollStmt: DATABASES,
  CreateTableSpaceStmt: TABLESPACES,
  DropTableSpaceStmt: TABLESPACES,
  AlterTableSpaceOptionsStmt: TABLESPACES,
  AlterSystemStmt: SETTINGS,
  CreateSubscriptionStmt: SUBSCRIPTIONS,
  AlterSubscriptionStmt: SUBSCRIPTIONS,
  DropSubscriptionStmt: SUBSCRIPTIONS,
};

/** Of statements that change objects of many kinds: ALTER … OWNER, ALTER … RENAME, COMMENT, GRANT, SECURITY LABEL. */
const TYPES: Readonly<Record<string, string>> = {
  OBJECT_DATABASE: DATABASES,
  OBJECT_ROLE: ROLES,
  OBJECT_TABLESPACE: TABLESPACES,
  OBJECT_PARAMETER_ACL: SETTINGS,
  OBJECT_SUBSCRIPTION: SUBSCRIPTIONS,
};
const TYPED = ['AlterOwnerStmt', 'CommentStmt', 'GrantStmt', 'RenameStmt', 'SecLabelStmt'];

/** These may change the database of the test: it is dropped with the change. */
const OF_DATABASE = ['AlterDatabaseStmt', 'AlterDatabaseSetStmt', 'AlterDatabaseRefreshCollStmt', 'AlterRoleSetStmt'];

const FUNCTIONS = /^pg_((create|copy|drop)_(physical_|logical_)?replication_slot|replication_origin_(create|drop))$/;
const CATALOGUES =
  /^pg_(authid|auth_members|database|db_role_setting|parameter_acl|replication_origin|shdepend|shdescription|shseclabel|subscription|tablespace)$/;

/** The changes of a statement, also in the body of a DO block or routine, as far as it can be read. */
export function findServerChanges(statement: Node, sql: string): readonly ServerChange[] {
  const hasBody = 'DoStmt' in statement || 'CreateFunctionStmt' in statement;
  const changes: ServerChange[] = [];
  someNode(hasBody ? readKnownStatements(statement, sql) : statement, (kind, body) => {
    const change = readChange(kind, body);
    if (change) changes.push(change);
    return false;
  });
  return changes;
}

/** @throws for a change of the server that the tests of a run share */
export function assertWithinDatabase(
  statements: readonly { sql: string; serverChanges: readonly ServerChange[] }[],
  database: string | undefined,
): void {
  for (const { sql, serverChanges } of statements) {
    const change = serverChanges.find(({ databases }) => !databases?.every((name) => name === database));
    if (!change) continue;
    throw new Error(
      `test database: "${sql.trim()}" changes ${change.objects} of the server, which all tests of the run share; ` +
        `expected a change of the database ${database} only${change.objects === ROLES ? IN_DATABASE : ''}\n` +
        '  const cluster = useScratchCluster(); // from @airlock/database/fixtures: a separate server for one test file',
    );
  }
}

const IN_DATABASE = ', such as ALTER ROLE … IN DATABASE, or SET in the session';

function readChange(kind: string, body: Record<string, unknown>): ServerChange | undefined {
  if (kind === 'FuncCall') {
    const name = stringsOf(body['funcname'] as Node[]).at(-1) ?? '';
    return FUNCTIONS.test(name) ? { objects: 'the replication slots and origins' } : undefined;
  }
  if (['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'].includes(kind)) {
    const { relname = '', schemaname = 'pg_catalog' } = body['relation'] as { relname?: string; schemaname?: string };
    return schemaname === 'pg_catalog' && CATALOGUES.test(relname) ? { objects: `${relname}, a catalogue` } : undefined;
  }
  const objects = TYPED.includes(kind) ? TYPES[readType(body)] : KINDS[kind];
  if (objects === undefined) return undefined;
  const databases = listDatabases(kind, body);
  return databases.length > 0 ? { objects, databases } : { objects };
}

function readType({ objtype, objectType, renameType }: Record<string, unknown>): string {
  return (objtype ?? objectType ?? renameType) as string;
}

/** Empty if the statement does not name any, or if it removes the name of the database from the server. */
function listDatabases(kind: string, body: Record<string, unknown>): readonly string[] {
  const { dbname, database, object, objects } = body as {
    dbname?: string;
    database?: string;
    object?: Node;
    objects?: readonly Node[];
  };
  if (OF_DATABASE.includes(kind)) return [dbname ?? database ?? []].flat();
  if (kind === 'RenameStmt' || readType(body) !== 'OBJECT_DATABASE') return [];
  return stringsOf(object ? [object] : objects);
}
