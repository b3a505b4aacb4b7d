import { isTestDatabaseName } from '@airlock/config';
import { SYSTEM_ROLE } from '@airlock/database/model';
import { type ServerLayer } from './layer.js';
import { type ResetProblem, problemIf } from './verdict.js';
import { nameOwner } from './minted-names.js';
import type { Acting, ServerFacts } from './server-facts.js';

const OF_THE_SERVER = ['postgres', 'template0', 'template1'];

/** The acting role cannot change another database, even by mistake. */
export const role: ServerLayer = {
  id: 'L3',
  title: 'role',
  phase: 'server',
  danger: 'a role with too many rights can damage every database that it reaches',
  judge(facts) {
    const { acting, address } = facts;
    const owner = nameOwner(address.database);
    return {
      saw: `${acting.roles.map(describeRole).join(', ')}; may connect to ${acting.databases
        .filter(({ mayConnect }) => mayConnect)
        .map(({ name }) => name)
        .join(', ')}`,
      problems: [
        ...judgeRoles(facts),
        ...judgeReach(acting),
        ...acting.settings.map(({ setting, of }) => ({
          problem: `the server sets ${setting} for ${of}, before a session of the reset begins; expected no such setting`,
          fix: `ALTER ${/^(role|database) /.test(of) ? of.replace(/ (\S+)/, ' "$1"').replace(' in ', ' IN ') : 'ROLE ALL'} RESET ${setting}`,
        })),
        ...problemIf(
          !acting.mayBecomeOwner,
          `the role ${address.user} is not a member of ${owner}; expected membership`,
          'airlock db provision',
        ),
      ],
    };
  },
};

/**
 * The migrator, its owner role, the owner roles of other test databases, and the role of the system, which has rights in
 * each database and may connect to none; no other role that one of them is a member of.
 */
function judgeRoles({ acting, address }: ServerFacts): ResetProblem[] {
  const expected = [address.user, nameOwner(address.database), SYSTEM_ROLE];
  return acting.roles.flatMap(({ name, through, powers }) => [
    ...problemIf(
      powers.length > 0,
      `the role ${name}${describePath(through)} has ${powers.join(', ')}; expected none of these`,
      through.length > 0 ? `REVOKE "${name}" FROM "${through.join('", "')}"` : 'airlock db provision   # revokes these',
    ),
    ...problemIf(
      powers.length === 0 && !expected.includes(name) && !isOwnerOfTests(name),
      `${through.join(' and ')} is a member of ${name}; expected membership only in owners of test databases and in ${SYSTEM_ROLE}`,
      `REVOKE "${name}" FROM "${through.join('", "')}"`,
    ),
  ]);
}

function judgeReach({ databases, holdings }: Acting): ResetProblem[] {
  const reachable = databases.filter(
    ({ name, mayConnect }) => mayConnect && !isTestDatabaseName(name) && !OF_THE_SERVER.includes(name),
  );
  const foreign = holdings.filter(({ kind, name }) => kind === 'tablespace' || !isTestDatabaseName(name));
  return [
    ...reachable.map(({ name }) => ({
      problem: `the role may connect to the database "${name}", which is not a test database; expected no such right`,
      fix: `REVOKE CONNECT ON DATABASE "${name}" FROM PUBLIC; or better, run the tests on a separate server`,
    })),
    ...foreign.map(({ role: holder, kind, name }) => ({
      problem: `the role ${holder} owns, or has rights on, the ${kind} "${name}"; expected no objects outside of test databases`,
      fix: `give the ${kind} "${name}" to another role: REASSIGN OWNED, DROP OWNED, ALTER … OWNER TO`,
    })),
  ];
}

function isOwnerOfTests(name: string): boolean {
  return name.endsWith('_owner') && isTestDatabaseName(name.slice(0, -'_owner'.length));
}

function describeRole({ name, through, powers }: Acting['roles'][number]): string {
  return `${name}${describePath(through)}${powers.length > 0 ? ` (${powers.join(', ')})` : ''}`;
}

function describePath(through: readonly string[]): string {
  return through.length > 0 ? `, which ${through.join(' and ')} is a member of,` : '';
}
