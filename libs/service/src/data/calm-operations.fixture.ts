import { Parcel } from '@airlock/database/sample';
import type { EntityManager } from 'typeorm';
import type { Database } from './database.js';
import type { Operation, Rows, Seen, TrackedUser } from './tracked-user.fixture.js';

const READ = { name: 'spec:read', text: `SELECT owner_id AS "ownerId", name, version FROM parcels`, values: [] };
const TOUCH = {
  name: 'spec:touch',
  text: `UPDATE parcels SET version = version + 1 RETURNING owner_id AS "ownerId", name, version`,
  values: [],
};
const INSERT = { name: 'spec:insert', text: 'INSERT INTO parcels (owner_id, name) VALUES ($1, $2)' };
const DELETE = { name: 'spec:delete', text: 'DELETE FROM parcels', values: [] };
/** More rows than this are deleted, so that reads stay short. */
const MAX_ROWS = 12;

export type Choose = (user: TrackedUser, others: readonly TrackedUser[]) => Operation;

/** Statements without a condition on the owner: only row-level security keeps the users apart. */
export function createCalmOperations(database: Database): Choose {
  const inTransaction = (user: TrackedUser, work: (tx: EntityManager) => Promise<unknown>) => () =>
    database.asUser(user.id, async (tx): Promise<Seen[]> => {
      await work(tx);
      return tx.getRepository(Parcel).find();
    });
  const operations: readonly Choose[] = [
    (user) => ({ title: 'find', run: inTransaction(user, () => Promise.resolve()) }),
    (user) => ({
      title: 'query builder',
      run: () => database.asUser(user.id, (tx) => tx.createQueryBuilder(Parcel, 'parcel').getMany()),
    }),
    (user) => ({ title: 'fast read', run: () => database.query<Seen>({ ...READ, userId: user.id }) }),
    (user) => {
      const name = user.nextName();
      return {
        title: 'save',
        run: inTransaction(user, (tx) => save(tx, user.id, name)),
        after: () => add(user.rows, name),
      };
    },
    (user) => {
      const name = user.nextName();
      return {
        title: 'fast insert',
        run: async () => void (await database.query({ ...INSERT, values: [user.id, name], userId: user.id })),
        after: () => add(user.rows, name),
      };
    },
    (user) => ({
      title: 'update of all rows',
      run: inTransaction(user, (tx) => tx.createQueryBuilder().update(Parcel).set({ attributes: {} }).execute()),
      after: () => touch(user.rows),
    }),
    (user) => ({
      title: 'fast update of all rows',
      run: () => database.query<Seen>({ ...TOUCH, userId: user.id }),
      after: () => touch(user.rows),
    }),
    (user) => {
      const name = user.random.pick([...user.rows.keys(), 'none']);
      return {
        title: 'delete',
        run: inTransaction(user, (tx) => tx.getRepository(Parcel).delete({ name })),
        after: () => new Map([...user.rows].filter(([key]) => key !== name)),
      };
    },
    (user) => {
      const [outer, undone, inner] = [user.nextName(), user.nextName(), user.nextName()];
      const run = inTransaction(user, async (tx) => {
        await save(tx, user.id, outer);
        await tx.transaction((point) => save(point, user.id, undone).then(() => refuse())).catch(() => undefined);
        await tx.transaction((point) => save(point, user.id, inner));
      });
      return { title: 'savepoints', run, after: () => add(user.rows, outer, inner) };
    },
    (user, others) => {
      const ownerId = user.random.pick(others).id;
      const run = () =>
        database.asUser(user.id, async (tx) => {
          await tx.getRepository(Parcel).update({ ownerId }, { name: 'taken' });
          await tx.getRepository(Parcel).delete({ ownerId });
          return [...(await tx.getRepository(Parcel).findBy({ ownerId })), ...(await tx.getRepository(Parcel).find())];
        });
      return { title: 'access to rows of another user', run };
    },
    () => ({ title: 'session without a user', run: () => database.ping() }),
  ];
  return (user, others) =>
    user.rows.size > MAX_ROWS ? deleteAll(database, user) : user.random.pick(operations)(user, others);
}

export function save(tx: EntityManager, ownerId: string, name: string): Promise<Parcel> {
  return tx.getRepository(Parcel).save(tx.getRepository(Parcel).create({ ownerId, name, attributes: {} }));
}

export function add(rows: Rows, ...names: readonly string[]): Rows {
  return new Map([...rows, ...names.map((name) => [name, 1] as const)]);
}

function touch(rows: Rows): Rows {
  return new Map([...rows].map(([name, version]) => [name, version + 1]));
}

function deleteAll(database: Database, user: TrackedUser): Operation {
  const run = async () => void (await database.query({ ...DELETE, userId: user.id }));
  return { title: 'fast delete of all rows', run, after: () => new Map() };
}

function refuse(): never {
  throw new Error('refused by the work');
}
