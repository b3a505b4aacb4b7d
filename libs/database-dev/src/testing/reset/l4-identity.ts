import type { ServerLayer } from './layer.js';
import { type ResetProblem, problemIf } from './verdict.js';
import { traitsOf } from '@airlock/config';
import { formatSeal } from './minted-names.js';
import type { ServerFacts } from './server-facts.js';

/**
 * Server and database are the ones that provisioning created, by their own statements and by records outside of them.
 */
export const identity: ServerLayer = {
  id: 'L4',
  title: 'identity',
  phase: 'server',
  danger: 'a tunnel, a restored copy or a renamed database responds at the address of the test database',
  judge(facts) {
    const { acting, inside, record } = facts;
    return {
      saw: `server ${acting.systemIdentifier} (recorded ${record?.systemIdentifier ?? 'nothing'}), database ${inside.databaseName} number ${inside.databaseOid}, stamp ${describeStamp(facts)}`,
      problems: [...judgeServer(facts), ...judgeSessions(facts), ...judgeStamp(facts)],
    };
  },
};

function judgeServer({ acting, inside, record, address }: ServerFacts): ResetProblem[] {
  return [
    ...problemIf(
      record === undefined,
      'no record of provisioning is kept here for this address; expected one, because a database cannot prove its own identity',
      'ENVIRONMENT=testing airlock db provision',
    ),
    ...problemIf(
      record !== undefined && (!traitsOf(record.environment).mayBeReset || record.database !== address.database),
      `the record of provisioning says ${record?.environment} "${record?.database}"; expected testing "${address.database}"`,
      'ENVIRONMENT=testing airlock db provision',
    ),
    ...problemIf(
      record !== undefined && record.systemIdentifier !== acting.systemIdentifier,
      `the server at this address has the system identifier ${acting.systemIdentifier}; expected ${record?.systemIdentifier}, that of the provisioned server`,
      'find out which program listens on this port: a tunnel, a port-forward, another server',
    ),
    ...problemIf(
      acting.isInRecovery || inside.isInRecovery,
      'the server is a replica; expected a primary',
      'use the test server',
    ),
  ];
}

/** The checked database is the one that would be renamed: both sessions see the same server at the same moment. */
function judgeSessions({ acting, inside, address }: ServerFacts): ResetProblem[] {
  const entry = acting.databases.find(({ name }) => name === address.database);
  const isSeen = acting.sessions.some(
    ({ pid, databaseOid, applicationName }) =>
      pid === inside.pid && databaseOid === inside.databaseOid && applicationName === inside.applicationName,
  );
  const isOne =
    isSeen &&
    entry?.oid === inside.databaseOid &&
    acting.systemIdentifier === inside.systemIdentifier &&
    acting.startedAt === inside.startedAt;
  return [
    ...problemIf(
      !isOne,
      'two sessions with one address do not reach the same server; expected a direct connection',
      'connect to the server itself, not to a pooler or a balancer',
    ),
    ...problemIf(
      inside.databaseName !== address.database,
      `the server reports the database name "${inside.databaseName}"; expected "${address.database}"`,
      'connect to the server itself: a pooler gives databases other names',
    ),
  ];
}

function judgeStamp({ acting, inside, address }: ServerFacts): ResetProblem[] {
  const rows = inside.stamps ?? [];
  const seal = acting.databases.find(({ oid }) => oid === inside.databaseOid)?.seal;
  const expected = {
    environment: 'testing',
    system_identifier: acting.systemIdentifier,
    database_oid: String(inside.databaseOid),
    database_name: address.database,
  };
  const wrong = Object.entries(expected).filter(([name, value]) => rows[0]?.[name] !== value);
  const fix = 'find out what this database is; if it is a test database, drop it by hand and provision it again';
  return [
    ...problemIf(
      inside.stamps === null,
      'the database has no stamp; expected one: a missing stamp is not a new database',
      'ENVIRONMENT=testing airlock db provision',
    ),
    ...problemIf(
      inside.stampFlaws.length > 0,
      `the stamp ops.environment ${inside.stampFlaws.join(', ')}; expected the plain table that provisioning creates`,
      fix,
    ),
    ...problemIf(
      inside.stamps !== null && inside.stampFlaws.length === 0 && rows.length !== 1,
      `the stamp has ${rows.length} rows; expected one`,
      fix,
    ),
    ...problemIf(
      rows.length === 1 && wrong.length > 0,
      `the stamp says ${wrong.map(([name]) => `${name} ${rows[0]?.[name]}`).join(', ')}; expected ${wrong.map(([name, value]) => `${name} ${value}`).join(', ')}`,
      fix,
    ),
    ...problemIf(
      seal !== formatSeal(acting.systemIdentifier, inside.databaseOid),
      `the server's catalogue has the seal "${seal ?? ''}" for the database; expected "${formatSeal(acting.systemIdentifier, inside.databaseOid)}"`,
      fix,
    ),
  ];
}

function describeStamp({ inside: { stamps } }: ServerFacts): string {
  if (stamps === null) return 'absent';
  return stamps.map(({ environment, database_name: name }) => `${environment} "${name}"`).join(' and ') || 'empty';
}
