import { type DatabaseAddress, isTestDatabaseName } from '@airlock/config';
import { type StaticLayer } from './layer.js';
import { problemIf } from './verdict.js';
import { isMintedName } from './minted-names.js';

/** Only literals: a hosts file, a resolver or a search domain decides the meaning of a name. */
const HOSTS = ['127.0.0.1', '::1', 'postgres-test'];
const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/** The address may belong to a test database, and to no other environment. */
export const allowList: StaticLayer = {
  id: 'L2',
  title: 'allow-list',
  phase: 'static',
  danger: 'a database in use is mistaken for a test database',
  judge({ inspection, foreign, unreadable }) {
    const address = inspection.config?.database.migration;
    if (!address) return { saw: 'no address', problems: [] };
    const { host, port, database } = address;
    const same = foreign.filter((other) => isSameDatabase(other, address));
    return {
      saw: `database ${database} on ${host}:${port}; addresses of other files: ${foreign.length}`,
      problems: [
        ...problemIf(
          !isTestDatabaseName(database) || isMintedName(database),
          `the database "${database}" does not have the name of a test database; expected a name that ends in _test`,
          'create airlock_test with `airlock db provision`, and name it in .env.testing',
        ),
        ...problemIf(
          !HOSTS.includes(host),
          `the host "${host}" is not on the list; expected ${HOSTS.join(', ')}`,
          'use the test server of compose.test.yml: 127.0.0.1, port 5433',
        ),
        ...same.map(({ where }) => ({
          problem: `${where} names the same database; expected one that only tests use`,
          fix: 'give the tests a separate database: airlock db provision',
        })),
        ...unreadable.map((file) => ({
          problem: `${file} cannot be read, so it may name the same database; expected a readable file`,
          fix: `repair or remove ${file}`,
        })),
      ],
    };
  },
};

function isSameDatabase(a: Pick<DatabaseAddress, 'host' | 'port' | 'database'>, b: DatabaseAddress): boolean {
  const isSameHost = a.host === b.host || (LOOPBACK.includes(a.host) && LOOPBACK.includes(b.host));
  return isSameHost && a.port === b.port && a.database === b.database;
}
