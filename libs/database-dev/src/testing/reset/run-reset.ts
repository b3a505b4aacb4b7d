import type { Config, EnvironmentVariables } from '@airlock/config';
import type { Client } from 'pg';
import { withClient, migrate, seed } from '@airlock/database/internal';
import { type Model, TEST_SEED_SIZE } from '@airlock/database/model';
import { appendAudit, AuditError, closeAudit } from './audit.js';
import { bounded, LIMITS } from './bounded-session.js';
import { loadCloneFacts } from './clone-facts.js';
import { judgeLayer, type Layer, skipLayer } from './layer.js';
import { isRefusal, type LayerVerdict } from './verdict.js';
import { clearInterrupted, recreateDatabase, type Step } from './recreate.js';
import { acquireResetLock } from './reset-lock.js';
import { loadServerFacts, type Place, type ServerFacts } from './server-facts.js';
import { loadStaticFacts, type StaticFacts } from './static-facts.js';

export interface ResetOptions {
  readonly variables: EnvironmentVariables;
  /** The root of the checkout: its .env files, records, journal and audit are there. */
  readonly workspace: string;
  /** The permitted contents of the database, and the data that fills it. */
  readonly model: Pick<Model, 'migrations' | 'seeds' | 'folder'>;
  /** Checks without changing anything. */
  readonly explain?: boolean;
}

/** For tests of the reset itself; no entry point of this library exports it. */
export interface ResetInternals {
  readonly layers: readonly Layer[];
  readonly prepare?: (config: Config) => Promise<void>;
  readonly onStep?: (step: Step) => void;
  readonly facts?: Partial<StaticFacts>;
}

export interface ResetReport {
  readonly outcome: 'reset' | 'allowed' | 'refused';
  readonly database: string | undefined;
  readonly verdicts: readonly LayerVerdict[];
  /** The reason why the server's layers could not run; nothing was changed. */
  readonly failure?: string;
}

/** Checks every layer, then acts. A refusal is a report; an error after the first change is thrown. */
export async function runReset(options: ResetOptions, internals: ResetInternals): Promise<ResetReport> {
  const { variables, workspace } = options;
  const facts = { ...loadStaticFacts(variables, workspace), ...internals.facts };
  try {
    return await resetFrom(facts, options, internals);
  } finally {
    closeAudit(facts.audit);
  }
}

async function resetFrom(facts: StaticFacts, options: ResetOptions, internals: ResetInternals): Promise<ResetReport> {
  const ahead = internals.layers.map((layer) =>
    layer.phase === 'static' ? judgeLayer(layer, layer.judge(facts)) : skipLayer(layer),
  );
  const config = facts.inspection.config;
  const address = config?.database.migration;
  const database = address?.database;
  if (!config || !address || ahead.some(({ verdict }) => verdict === 'refuses')) {
    appendAudit(facts, ahead, modeOf(options));
    return { outcome: 'refused', database, verdicts: ahead };
  }
  const run = {
    options,
    internals,
    facts,
    ahead,
    place: { workspace: options.workspace, model: options.model, config, address },
  };
  return { database, ...(await resetOnServer(run)) };
}

interface Run {
  readonly options: ResetOptions;
  readonly internals: ResetInternals;
  readonly facts: StaticFacts;
  readonly ahead: readonly LayerVerdict[];
  readonly place: Place;
}

type Outcome = Omit<ResetReport, 'database'>;

async function resetOnServer(run: Run): Promise<Outcome> {
  const { place, facts, ahead, options } = run;
  const context = { config: place.config, purpose: 'reset', isStrict: true };
  let hasActed = false;
  try {
    return await withClient({ ...place.address, database: 'postgres' }, context, async (acting) => {
      await bounded(acting, LIMITS.lock, async () => {
        await acting.query(`SET search_path = ''; SET statement_timeout = '2min'`);
        await acquireResetLock(acting, place.address.database);
      });
      const { server, verdicts } = await judgeServer(acting, run);
      appendAudit(facts, verdicts, modeOf(options));
      if (isRefusal(verdicts)) return { outcome: 'refused', verdicts };
      if (options.explain) return { outcome: 'allowed', verdicts };
      hasActed = true;
      return await act(acting, run, { server, verdicts });
    });
  } catch (error) {
    if (hasActed || error instanceof AuditError) throw error;
    appendAudit(facts, ahead, modeOf(options));
    return { outcome: 'refused', verdicts: ahead, failure: error instanceof Error ? error.message : String(error) };
  }
}

async function judgeServer(acting: Client, { internals, facts, place }: Run) {
  const server = await bounded(acting, LIMITS.judge, () => loadServerFacts(acting, place));
  const verdicts = internals.layers.map((layer) => {
    if (layer.phase === 'clone') return skipLayer(layer, 'later');
    return judgeLayer(layer, layer.phase === 'static' ? layer.judge(facts) : layer.judge(server));
  });
  return { server, verdicts };
}

interface Judged {
  readonly server: ServerFacts;
  readonly verdicts: readonly LayerVerdict[];
}

async function act(acting: Client, run: Run, { server, verdicts }: Judged): Promise<Outcome> {
  const { place, internals, facts, options } = run;
  let all = verdicts;
  await clearInterrupted(acting, place, server);
  const isDone = await recreateDatabase({
    acting,
    place,
    facts: server,
    async judgeClone(fresh) {
      all = await judgeClone(run, verdicts, fresh);
      const isRefused = isRefusal(all);
      if (isRefused) appendAudit(facts, all, modeOf(options));
      return !isRefused;
    },
    prepare: internals.prepare ?? ((config) => migrateAndSeed(config, options.model)),
    onStep: internals.onStep ?? (() => undefined),
    async judgeAgain() {
      const { verdicts } = await judgeServer(acting, run);
      const refused = verdicts.flatMap(({ layer, problems }) => problems.map(({ problem }) => `${layer}: ${problem}`));
      if (refused.length > 0) throw new ChangedStateError(refused);
    },
  });
  return { outcome: isDone ? 'reset' : 'refused', verdicts: all };
}

/** The verdicts, including those of the layers that needed a clone. */
async function judgeClone(
  { internals, place }: Run,
  verdicts: readonly LayerVerdict[],
  fresh: string,
): Promise<LayerVerdict[]> {
  const facts = await loadCloneFacts(place, fresh);
  return internals.layers.map((layer, n) =>
    layer.phase === 'clone' ? judgeLayer(layer, layer.judge(facts)) : verdicts[n]!,
  );
}

/** The state changed while the clone was prepared. The test database is unchanged; the next run drops the clone. */
export class ChangedStateError extends Error {
  override readonly name = 'ChangedStateError';
  readonly exitCode = 3;

  constructor(problems: readonly string[]) {
    super(
      `reset-test: stopped before the swap: ${problems.join('; ')}; expected no change since the first check\n  airlock db reset-test --explain`,
    );
  }
}

async function migrateAndSeed(config: Config, model: ResetOptions['model']): Promise<void> {
  await migrate({ config, ...model });
  await seed({ config, seeds: model.seeds, size: TEST_SEED_SIZE });
}

function modeOf({ explain }: ResetOptions): 'reset' | 'explain' {
  return explain ? 'explain' : 'reset';
}
