import { defineMigration } from '../model/migration.js';

/** An account of 100, to which one migration adds 10: running it twice would show as 120. */
export const createAccounts = defineMigration({
  name: '20260101000000-create-accounts',
  phase: 'expand',
  statements: [
    `CREATE TABLE public.accounts (id integer PRIMARY KEY, balance bigint NOT NULL)`,
    `INSERT INTO public.accounts VALUES (1, 100)`,
  ],
});

export const addInterest = defineMigration({
  name: '20260102000000-add-interest',
  phase: 'expand',
  statements: [`UPDATE public.accounts SET balance = balance + 10`],
});

export const indexBalances = defineMigration({
  name: '20260103000000-index-balances',
  phase: 'expand',
  transaction: false,
  statements: [`CREATE INDEX CONCURRENTLY IF NOT EXISTS accounts_balance_idx ON public.accounts (balance)`],
});

export const noteInterest = defineMigration({
  name: '20260104000000-note-interest',
  phase: 'expand',
  statements: [`ALTER TABLE public.accounts ADD COLUMN note text`],
});

export const accountMigrations = [createAccounts, addInterest, indexBalances, noteInterest] as const;

/** Short waits for tests; the order of the steps is the same. */
export const SHORT_TIMING = {
  lockPollMs: 20,
  heartbeatMs: 20,
  lockTimeoutMs: 100,
  retryBaseMs: 20,
  retryCapMs: 100,
} as const;
