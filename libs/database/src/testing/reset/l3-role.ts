import { isTestDatabaseName } from '@airlock/config';
import { type ServerLayer, when } from './layer.js';
import { nameOwner } from './minted-names.js';

const OF_THE_SERVER = ['postgres', 'template0', 'template1'];

/** The role that acts could not hurt another database if it tried. */
export const role: ServerLayer = {
  id: 'L3',
  title: 'role',
  phase: 'server',
  danger: 'a role that may do anything does it to any database it reaches',
  judge({ acting, address }) {
    const powerful = acting.roles.filter(({ powers }) => powers.length > 0);
    const reachable = acting.databases.filter(
      ({ name, mayConnect }) => mayConnect && !isTestDatabaseName(name) && !OF_THE_SERVER.includes(name),
    );
    const owner = nameOwner(address.database);
    return {
      saw: `${acting.roles.map(({ name, powers }) => `${name}${powers.length > 0 ? ` (${powers.join(', ')})` : ''}`).join(', ')}; may connect to ${acting.databases
        .filter(({ mayConnect }) => mayConnect)
        .map(({ name }) => name)
        .join(', ')}`,
      problems: [
        ...powerful.map(({ name, powers }) => ({
          problem: `the role ${name} has ${powers.join(', ')}; expected none of it`,
          mend: 'airlock db provision   # takes it back',
        })),
        ...reachable.map(({ name }) => ({
          problem: `the role may connect to the database "${name}", which is no test database; expected no such right`,
          mend: `REVOKE CONNECT ON DATABASE "${name}" FROM PUBLIC; better, run tests on a server of their own`,
        })),
        ...when(
          !acting.mayBecomeOwner,
          `the role ${address.user} may not become ${owner}; expected membership`,
          'airlock db provision',
        ),
      ],
    };
  },
};
