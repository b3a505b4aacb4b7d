import { findWordOf, isTestDatabaseName, maxDatabaseNameBytes } from '../values/database-names.js';
import { type Environment, environmentsWith, environmentsWithout, listNames } from '../values/environment.js';
import { isListed, isLocalHost, isPublicPattern } from '../values/hosts.js';
import { POOLER_PORT } from '../values/poolers.js';
import { quote } from '../values/quote.js';
import {
  DATABASE_VARIABLES,
  databasesOf,
  dataHostsOf,
  DEPLOYED,
  EVERYWHERE,
  type Facts,
  LASTING,
  type ConfigRule,
  violationIf,
} from './config-rule.js';

export const databaseRules: readonly ConfigRule[] = [
  {
    title: 'a database or Redis on localhost, in any spelling',
    environments: LASTING,
    find: (facts) =>
      dataHostsOf(facts).flatMap(({ name, host }) =>
        violationIf(isLocalHost(host), {
          name,
          problem: `names the host ${host}, this machine, in ${facts.environment}`,
          expected: `the server of ${facts.environment}`,
          mend: `set ${name} to it; look for a value copied from development`,
        }),
      ),
  },
  {
    title: 'a database whose name holds a test or development word',
    environments: LASTING,
    find: (facts) => findForeignDatabase(facts, environmentsWith('runsLocally')),
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
          mend: 'name the test database; `make test` needs no server of yours at all',
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
          expected: `at most ${most} in ${facts.environment}: PostgreSQL cuts longer derived names off in silence`,
          mend: 'give the database a shorter name',
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
          mend: 'remove the ? and what follows it',
        }),
      ),
  },
  refuseWordsOf(LASTING, environmentsWith('isDisposable')),
  ...LASTING.map((environment) => refuseWordsOf(listRivals(environment), [environment])),
  {
    title: 'a host listed in `PROTECTED_HOSTS`',
    environments: environmentsWithout('mayUseProtectedHosts'),
    find: (facts) =>
      dataHostsOf(facts).flatMap(({ name, host }) =>
        violationIf(isListed(host, facts.values.PROTECTED_HOSTS ?? []), {
          name,
          problem: `names the host ${host}, which PROTECTED_HOSTS keeps from ${facts.environment}`,
          expected: `a server of ${facts.environment}`,
          mend: `set ${name} to it; PROTECTED_HOSTS stays as it is`,
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
          problem: `reaches the host ${host} without TLS`,
          expected: '?sslmode=verify-full at its end',
          mend: `add it, with DATABASE_SSL_CA_FILE where the authority is your own; or name the host in PRIVATE_NETWORKS`,
        }),
      ),
  },
  {
    title: `the port ${POOLER_PORT}, which belongs to connection poolers`,
    environments: EVERYWHERE,
    find: ({ texts }) =>
      DATABASE_VARIABLES.flatMap((name) =>
        violationIf(texts[name]?.includes(`:${POOLER_PORT}/`), {
          name,
          problem: `names the port ${POOLER_PORT} of a connection pooler`,
          expected: 'the port of PostgreSQL itself, usually 5432',
          mend: `set ${name} to the direct address; docs/poolers.md says where to find it`,
        }),
      ),
  },
  {
    title: '`PRIVATE_NETWORKS` that takes in public hosts',
    environments: EVERYWHERE,
    find: ({ values }) =>
      (values.PRIVATE_NETWORKS ?? []).filter(isPublicPattern).map((entry) => ({
        name: 'PRIVATE_NETWORKS',
        problem: `holds ${quote(entry, [])}, which takes in public hosts`,
        expected: 'private blocks such as 10.0.0.0/8, host names, and suffixes such as *.internal',
        mend: 'name the hosts that are really private',
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
          mend: 'add it there, or remove DATABASE_SSL_CA',
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
        mend: 'remove DATABASE_SERVER: the embedded server is for development and testing',
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
          mend: `set DATABASE_SERVER=external to use ${host}, or correct the host`,
        }),
      ),
  },
  {
    title: 'a migrator of another database than the application',
    environments: EVERYWHERE,
    find: ({ values: { DATABASE_URL: app, DATABASE_MIGRATION_URL: migration } }) =>
      violationIf(app && migration && app.database !== migration.database, {
        name: 'DATABASE_MIGRATION_URL',
        problem: `names the database ${migration?.database}, but DATABASE_URL names ${app?.database}`,
        expected: 'the same database in both',
        mend: 'correct the one that is wrong',
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
    title: `a host or database whose name holds a ${listNames(others)} word`,
    environments,
    find: (facts) => [...findForeignDatabase(facts, others), ...findForeignHost(facts, others)],
  };
}

/** Every other deployed environment, those that last first. */
function listRivals(environment: Environment): Environment[] {
  const others = DEPLOYED.filter((other) => other !== environment);
  return others.toSorted((a, b) => Number(LASTING.includes(b)) - Number(LASTING.includes(a)));
}

/** Provisioning connects to the server's own database first, which holds nothing. */
function isMaintenance(name: string, database: string): boolean {
  return name === 'DATABASE_ADMIN_URL' && database === 'postgres';
}

function findForeignDatabase(facts: Facts, others: readonly Environment[]) {
  return databasesOf(facts).flatMap(({ name, address: { database } }) => {
    const word = findWordOf(database, others);
    return violationIf(word !== undefined, {
      name,
      problem: `names the database ${database}, whose word ${word} belongs to another environment than ${facts.environment}`,
      expected: `the database of ${facts.environment}`,
      mend: `set ${name} to it, or give the database a name without that word`,
    });
  });
}

function findForeignHost(facts: Facts, others: readonly Environment[]) {
  return dataHostsOf(facts).flatMap(({ name, host }) => {
    const word = findWordOf(host, others);
    return violationIf(word !== undefined, {
      name,
      problem: `names the host ${host}, whose word ${word} belongs to another environment than ${facts.environment}`,
      expected: `a server of ${facts.environment}`,
      mend: `set ${name} to it`,
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
      expected: 'a role of its own, so that the application can change no schema',
      mend: 'run `airlock db provision`, which makes both roles',
    }),
  ];
}

function superuser(name: string, environment: Environment) {
  return {
    name,
    problem: `connects as postgres, the superuser, in ${environment}`,
    expected: 'a role with no more rights than it needs',
    mend: 'run `airlock db provision`, which makes the roles, and connect as one of them',
  };
}
