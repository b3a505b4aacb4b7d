import { Parcel } from '@airlock/database/sample';
import { useTestDatabase } from '@airlock/database-dev/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EntityManager, In } from 'typeorm';
import { RequestContext, runInContext } from '../context/request-context.js';
import { type DataWorld, openDataWorld, withPoolSize } from './data-world.fixture.js';

const REASON = 'spec: counts the rows of all users';

describe('asSystem', () => {
  const test = useTestDatabase({ isolation: 'delete' });
  let world: DataWorld;
  beforeAll(async () => {
    world = await openDataWorld(withPoolSize(test.config, 3));
  });
  afterAll(() => world.close());

  const add = (ownerId: string) => (tx: EntityManager) =>
    tx.getRepository(Parcel).save({ ownerId, name: `of ${ownerId}`, attributes: {} });
  const readOwners = async (tx: EntityManager) => {
    const where = { ownerId: In(['user_1', 'user_2', 'user_3']) };
    const rows = await tx.getRepository(Parcel).find({ where, order: { ownerId: 'ASC' } });
    return rows.map(({ ownerId }) => ownerId);
  };
  const journal = () =>
    test.query(
      'SELECT service, reason, user_id AS "userId", request_id AS "requestId" FROM ops.system_uses ORDER BY begun_at',
    );
  /** In a request of `user_1`, whose route requires the role if one is given. */
  const inRequest = <T>(role: string | undefined, run: () => Promise<T>): Promise<T> => {
    const context = new RequestContext({ 'x-request-id': 'request-0123456789' });
    Object.assign(context, { userId: 'user_1', role });
    return new Promise((resolve, reject) => runInContext(context, () => void run().then(resolve, reject)));
  };

  it('sees and changes the rows of every user', async () => {
    for (const user of ['user_1', 'user_2']) await world.database.asUser(user, add(user));
    expect(await world.database.asSystem(REASON, readOwners)).toEqual(['user_1', 'user_2']);
    await world.database.asSystem(REASON, add('user_3'));
    await world.database.asSystem(REASON, (tx) => tx.getRepository(Parcel).delete({ ownerId: 'user_1' }));
    expect(await world.database.asUser('user_3', readOwners)).toEqual(['user_3']);
    expect(await world.database.asUser('user_1', readOwners)).toEqual([]);
  });

  it('leaves no rights on the session', async () => {
    for (const user of ['user_1', 'user_2']) await world.database.asUser(user, add(user));
    await world.database.asSystem(REASON, readOwners);
    await expect(world.database.asSystem(REASON, (tx) => tx.query('SELECT 1/0'))).rejects.toThrow('division');
    for (let count = 0; count < 6; count += 1)
      expect(await world.database.asUser('user_1', readOwners)).toEqual(['user_1']);
    const statement = { name: 'spec', text: 'SELECT current_user AS who', values: [], userId: '' };
    expect(await world.database.query(statement)).toEqual([{ who: test.config.database.app.user }]);
  });

  it('is journalled before it begins, also if it fails', async () => {
    await expect(world.database.asSystem(REASON, () => Promise.reject(new Error('work')))).rejects.toThrow('work');
    await inRequest('support', () => world.database.asSystem('spec: in a request', readOwners));
    expect(await journal()).toEqual([
      { service: 'spec', reason: REASON, userId: null, requestId: null },
      { service: 'spec', reason: 'spec: in a request', userId: 'user_1', requestId: 'request-0123456789' },
    ]);
  });

  it('does nothing if it cannot be journalled', async () => {
    await test.query('ALTER TABLE ops.system_uses RENAME TO gone');
    const work = world.database.asSystem(REASON, add('user_1'));
    await expect(work).rejects.toMatchObject({ code: '42P01' });
    await test.query('ALTER TABLE ops.gone RENAME TO system_uses');
    expect(await world.database.asUser('user_1', readOwners)).toEqual([]);
  });

  it('is refused in a request whose route requires no role, before anything is written', async () => {
    const work = inRequest(undefined, () => world.database.asSystem(REASON, readOwners));
    await expect(work).rejects.toThrow('in a request whose route requires no role');
    expect(await journal()).toEqual([]);
  });

  it.each(['', '  ', 'x'.repeat(201)])('requires a reason: %j', async (reason) => {
    await expect(world.database.asSystem(reason, readOwners)).rejects.toThrow('expected 1 to 200');
  });

  it.each([
    ['read', 'SELECT FROM ops.system_uses'],
    ['change', `UPDATE ops.system_uses SET reason = 'other'`],
    ['delete', 'DELETE FROM ops.system_uses'],
    ['empty', 'TRUNCATE ops.system_uses'],
    ['date back', `INSERT INTO ops.system_uses (begun_at, service, reason) VALUES ('2020-01-01', 'a', 'b')`],
  ])('keeps a journal that the application cannot %s', async (_, sql) => {
    await expect(world.database.asUser('user_1', (tx) => tx.query(sql))).rejects.toThrow('permission denied');
    await expect(world.database.asSystem(REASON, (tx) => tx.query(sql))).rejects.toThrow('permission denied');
  });

  it('gives no rights beyond the rows', async () => {
    const as = (sql: string) => world.database.asSystem(REASON, (tx) => tx.query(sql));
    await expect(as('ALTER TABLE public.parcels DISABLE ROW LEVEL SECURITY')).rejects.toThrow('must be owner');
    await expect(as('DROP TABLE public.parcels')).rejects.toThrow('must be owner');
    await expect(as('CREATE TABLE public.more (a int)')).rejects.toThrow('permission denied');
    await expect(as('TRUNCATE public.parcels')).rejects.toThrow('permission denied');
    await expect(as(`UPDATE ops.environment SET environment = 'production'`)).rejects.toThrow('permission denied');
  });
});
