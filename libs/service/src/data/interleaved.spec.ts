import { readProcessEnvironment } from '@airlock/config';
import { useTestDatabase } from '@airlock/database-dev/testing';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { isDatabaseUnavailable } from '../failures/database-failures.js';
import { Problem } from '../problems/problem.js';
import { createRandom } from '../testing/random.fixture.js';
import { type Choose, createCalmOperations } from './calm-operations.fixture.js';
import { type DataAccess, openDataAccess } from './data-access.fixture.js';
import { type Operation, TrackedUser } from './tracked-user.fixture.js';
import { createAdministrator, type Administrator } from './administrator.fixture.js';
import { createTroubleOperations } from './trouble-operations.fixture.js';

jest.setTimeout(10 * 60 * 1000);

const USERS = 16;
const OPERATIONS_PER_USER = 313;
const POOL_SIZE = 2;
const TROUBLE_PERCENT = 10;

// A seed always gives the same operations of each user. Their interleaving depends on the machine.
const seed = Number(readProcessEnvironment()['INTERLEAVING_SEED'] ?? Date.now() % 1_000_000);

describe('interleaved operations of many users on few sessions', () => {
  const test = useTestDatabase({ isolation: 'delete' });
  let access: DataAccess;
  let calm: Choose;
  let users: readonly TrackedUser[];
  beforeEach(async () => {
    access = await openDataAccess(test, { poolSize: POOL_SIZE });
    calm = createCalmOperations(access.database);
    users = Array.from({ length: USERS }, (_, index) => new TrackedUser(`user_${index}`, createRandom(seed + index)));
  });
  afterEach(() => access.close());

  it('show each user exactly the rows that its acknowledged operations made', async () => {
    const administrator = createAdministrator(test, createRandom(seed));
    const isUncertain = () => false;
    await performAll(users, { choose: calm, isUncertain, ...administrator });
    await expectWhole(access, users, administrator);
  });

  it('do so among failures, time limits and lost sessions, and leave the pool whole', async () => {
    const administrator = createAdministrator(test, createRandom(seed));
    const trouble = createTroubleOperations(access.database, administrator);
    const choose: Choose = (user, others) => (user.random.below(100) < TROUBLE_PERCENT ? trouble : calm)(user, others);
    await performAll(users, { choose, isUncertain: isLostOrTimedOut, ...administrator });
    await expectWhole(access, users, administrator);
  });
});

interface Performance extends Pick<Administrator, 'readRows'> {
  readonly choose: (user: TrackedUser, others: readonly TrackedUser[]) => Operation;
  readonly isUncertain: (error: unknown) => boolean;
}

async function performAll(users: readonly TrackedUser[], { choose, ...judge }: Performance): Promise<void> {
  // Later problems would only be consequences of the first ones.
  const isRight = () => users.every(({ problems }) => problems.length === 0);
  const perform = async (user: TrackedUser) => {
    const others = users.filter((other) => other !== user);
    for (let count = 0; count < OPERATIONS_PER_USER && isRight(); count += 1) {
      await user.perform(choose(user, others), judge);
    }
  };
  await Promise.all(users.map(perform));
}

/** Every row is accounted for, and the pool has all of its sessions back, without a user. */
async function expectWhole({ database }: DataAccess, users: readonly TrackedUser[], { readRows }: Administrator) {
  for (const user of users) {
    await user.perform(
      { title: 'rows at the end', run: () => readRows(user.id) },
      { isUncertain: () => false, readRows },
    );
  }
  const problems = users.flatMap((user) => user.problems);
  expect({ seed, problems }).toEqual({ seed, problems: [] });
  await Promise.all(Array.from({ length: USERS }, () => database.ping()));
  const { total, idle, waiting } = database.figures();
  expect({ seed, waiting, idle }).toEqual({ seed, waiting: 0, idle: total });
  expect(total).toBeLessThanOrEqual(POOL_SIZE);
}

function isLostOrTimedOut(error: unknown): boolean {
  return isDatabaseUnavailable(error) || (error instanceof Problem && error.code === 'request-timeout');
}
