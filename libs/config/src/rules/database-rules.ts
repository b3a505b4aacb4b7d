import { findWordOf, isTestDatabaseName, maxDatabaseNameBytes } from '../values/database-names.js';
import { type Environment, environmentsWith, environmentsWithout, listNames, traitsOf } from '../values/environment.js';
import { isListed, isLocalHost, isPublicPattern } from '../values/hosts.js';
import { POOLER_PORT } from '../values/poolers.js';
import { quote } from '../values/quote.js';
import {
  bucketsOf,
  databasesOf,
  dataHostsOf,
  dataNamesOf,
  DEPLOYED,
  EVERYWHERE,
  type Facts,
  LASTING,
  type ConfigRule,
  violationIf,
} from './config-rule.js';
import { databaseVariables } from '../variables/schema.js';

export const databaseRules: readonly ConfigRule[] = [
  {
    title: 'a database, Redis or storage on localhost, in any spelling',
    environments: LASTING,
    find: (facts) =>
      dataHostsOf(facts).flatMap(({ name, host }) =>
        violationIf(isLocalHost(host), {
          name,
          problem: `names the host ${host}, this machine, in ${facts.environment}`,
          expected: `the server of ${facts.environment}`,
          fix: `set ${name} to that server; check for values copied from development`,
        }),
      ),
  },
  {
    title: 'a database or bucket whose name holds a test or development word',
    environments: LASTING,
    find: (facts) => findForeignName(facts, environmentsWith('runsLocally')),
  },
  {
    title: 'a database that is not named as a test database',
    environments: environmentsWith('mayBeReset'),
    find: (facts) =>
      databasesOf(facts).flatMap(({ name, address: { database } }) =>
        violationIf(!isTestDatabaseName(database) && !isMaintenance(name, database), {
          name,
          problem: `names the database ${database}, which tests must not touch`,
          expected: 'a name that ends in _test, such as airlock_test or airlock_test_w1',
          fix: 'use the name of a test database; `make test` starts its own server',
        }),
      ),
  },
  {
    title: 'a database name that leaves no room for the names derived from it',
    environments: EVERYWHERE,
    find: (facts) => {
      const most = maxDatabaseNameBytes(facts.environment);
      return databasesOf(facts).flatMap(({ name, address: { database } }) =>
        violationIf(Buffer.byteLength(database) > most, {
          name,
          problem: `names a database of ${Buffer.byteLength(database)} bytes`,
          expected: `at most ${most} in ${facts.environment}: PostgreSQL silently truncates longer derived names`,
          fix: 'give the database a shorter name',
        }),
      );
    },
  },
  {
    title: 'a query in a database address',
    environments: environmentsWith('mayBeReset'),
    find: (facts) =>
      databasesOf(facts).flatMap(({ name }) =>
        violationIf(facts.texts[name]?.includes('?'), {
          name,
          problem: 'has a query',
          expected: 'nothing after the name of the database',
          fix: 'remove the ? and what follows it',
        }),
      ),
  },
  refuseWordsOf(LASTING, environmentsWith('isDisposable')),
  ...LASTING.map((environment) => refuseWordsOf(listRivals(environment), [environment])),
  {
    title: 'a host listed in `PROTECTED_HOSTS`',
    environments: environmentsWithout('mayUseProtectedHosts'),
    find: (facts) =>
      [...dataHostsOf(facts), ...bucketHostsOf(facts)].flatMap(({ name, host }) =>
        violationIf(isListed(host, facts.values.PROTECTED_HOSTS ?? []), {
          name,
          problem: `names the host ${host}, which PROTECTED_HOSTS keeps from ${facts.environment}`,
          expected: `a server of ${facts.environment}`,
          fix: `set ${name} to that server; do not change PROTECTED_HOSTS`,
        }),
      ),
  },
  {
    title: 'no TLS to a database whose host is not in `PRIVATE_NETWORKS`',
    environments: environmentsWithout('mayLackTls'),
    find: (facts) =>
      databasesOf(facts).flatMap(({ name, address: { host, sslMode } }) =>
        violationIf(sslMode === 'disable' && !isListed(host, facts.values.PRIVATE_NETWORKS ?? []), {
          name,
          problem: `connects to the host ${host} without TLS`,
          expected: '?sslmode=verify-full at its end',
          fix: `add it, with DATABASE_SSL_CA_FILE for your own authority; or add the host to PRIVATE_NETWORKS`,
        }),
      ),
  },
  {
    title: `the port ${POOLER_PORT}, which belongs to connection poolers`,
    environments: EVERYWHERE,
    find: ({ texts }) =>
      databaseVariables.flatMap((name) =>
        violationIf(texts[name]?.includes(`:${POOLER_PORT}/`), {
          name,
          problem: `names the port ${POOLER_PORT} of a connection pooler`,
          expected: 'the port of PostgreSQL itself, usually 5432',
          fix: `set ${name} to the direct address; see docs/poolers.md`,
        }),
      ),
  },
  {
    title: '`PRIVATE_NETWORKS` that includes public hosts',
    environments: EVERYWHERE,
    find: ({ values }) =>
      (values.PRIVATE_NETWORKS ?? []).filter(isPublicPattern).map((entry) => ({
        name: 'PRIVATE_NETWORKS',
        problem: `holds ${quote(entry, [])}, which includes public hosts`,
        expected: 'private blocks such as 10.0.0.0/8, host names, and suffixes such as *.internal',
        fix: 'list only hosts that are private',
      })),
  },
  {
    title: '`DATABASE_SSL_CA` that no address uses',
    environments: EVERYWHERE,
    find: (facts) =>
      violationIf(
        facts.values.DATABASE_SSL_CA !== undefined &&
          !databasesOf(facts).some(({ address }) => address.sslMode === 'verify-full'),
        {
          name: 'DATABASE_SSL_CA',
          problem: 'is set, but no database address verifies a certificate',
          expected: '?sslmode=verify-full in DATABASE_URL',
          fix: 'add it there, or remove DATABASE_SSL_CA',
        },
      ),
  },
  {
    title: '`DATABASE_SERVER=embedded`',
    environments: DEPLOYED,
    find: ({ environment, values }) =>
      violationIf(values.DATABASE_SERVER === 'embedded', {
        name: 'DATABASE_SERVER',
        problem: `is embedded in ${environment}`,
        expected: 'external',
        fix: 'remove DATABASE_SERVER; the embedded server is for development and testing',
      }),
  },
  {
    title: '`DATABASE_SERVER=embedded` with an address other than 127.0.0.1',
    environments: environmentsWith('runsLocally'),
    find: (facts) =>
      databasesOf(facts).flatMap(({ name, address: { host } }) =>
        violationIf(facts.values.DATABASE_SERVER === 'embedded' && host !== '127.0.0.1', {
          name,
          problem: `names the host ${host}, but DATABASE_SERVER is embedded`,
          expected: 'the host 127.0.0.1',
          fix: `set DATABASE_SERVER=external to use ${host}, or correct the host`,
        }),
      ),
  },
  {
    title: 'different databases for migrator and application',
    environments: EVERYWHERE,
    find: ({ values: { DATABASE_URL: app, DATABASE_MIGRATION_URL: migration } }) =>
      violationIf(app && migration && app.database !== migration.database, {
        name: 'DATABASE_MIGRATION_URL',
        problem: `names the database ${migration?.database}, but DATABASE_URL names ${app?.database}`,
        expected: 'the same database in both',
        fix: 'correct the wrong one',
      }),
  },
  {
    title: 'one role for application and migrator, or the superuser `postgres` for either',
    environments: DEPLOYED,
    find: findSharedRole,
  },
];

function refuseWordsOf(others: readonly Environment[], environments: readonly Environment[]): ConfigRule {
  return {
    title: `a host, database or bucket whose name holds a ${listNames(others)} word`,
    environments,
    find: (facts) => [...findForeignName(facts, others), ...findForeignHost(facts, others)],
  };
}

/** Buckets of several environments may be on one server, so PROTECTED_HOSTS may list bucket.host. */
function bucketHostsOf(facts: Facts) {
  return bucketsOf(facts).map(({ name, bucket: { bucket, host } }) => ({ name, host: `${bucket}.${host}` }));
}

/** Every other deployed environment, lasting ones first. */
function listRivals(environment: Environment): Environment[] {
  const others = DEPLOYED.filter((other) => other !== environment);
  return others.toSorted((a, b) => Number(LASTING.includes(b)) - Number(LASTING.includes(a)));
}

/** Provisioning first connects to the maintenance database of the server, which holds no data. */
function isMaintenance(name: string, database: string): boolean {
  return name === 'DATABASE_ADMIN_URL' && database === 'postgres';
}

/** The backups that a refresh reads are those of another environment; their stamp is judged later. */
function omitSource(name: string, others: readonly Environment[]): readonly Environment[] {
  return name === 'REFRESH_BACKUP_URL' ? others.filter((other) => !traitsOf(other).feedsCopies) : others;
}

function findForeignName(facts: Facts, others: readonly Environment[]) {
  return dataNamesOf(facts).flatMap(({ name, what, text }) => {
    const word = findWordOf(text, omitSource(name, others));
    return violationIf(word !== undefined, {
      name,
      problem: `names the ${what} ${text}, and its word ${word} belongs to another environment than ${facts.environment}`,
      expected: `the ${what} of ${facts.environment}`,
      fix: `set ${name} to that ${what}, or rename the ${what} without that word`,
    });
  });
}

function findForeignHost(facts: Facts, others: readonly Environment[]) {
  return dataHostsOf(facts).flatMap(({ name, host }) => {
    const word = findWordOf(host, omitSource(name, others));
    return violationIf(word !== undefined, {
      name,
      problem: `names the host ${host}, and its word ${word} belongs to another environment than ${facts.environment}`,
      expected: `a server of ${facts.environment}`,
      fix: `set ${name} to that server`,
    });
  });
}

function findSharedRole({ environment, values: { DATABASE_URL: app, DATABASE_MIGRATION_URL: migration } }: Facts) {
  return [
    ...violationIf(app?.user === 'postgres', superuser('DATABASE_URL', environment)),
    ...violationIf(migration?.user === 'postgres', superuser('DATABASE_MIGRATION_URL', environment)),
    ...violationIf(app && migration && app.user === migration.user, {
      name: 'DATABASE_MIGRATION_URL',
      problem: `connects as ${migration?.user}, the role of DATABASE_URL, in ${environment}`,
      expected: 'a separate role, so that the application cannot change the schema',
      fix: 'run `airlock db provision`, which creates both roles',
    }),
  ];
}

function superuser(name: string, environment: Environment) {
  return {
    name,
    problem: `connects as postgres, the superuser, in ${environment}`,
    expected: 'a role with only the required rights',
    fix: 'run `airlock db provision`, which creates the roles, and connect as one of them',
  };
}
