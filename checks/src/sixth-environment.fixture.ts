/** Run with sixth-environment.mjs: prints how the real code treats an environment of which it knows only the name. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, type DatabaseAddress, ENVIRONMENTS, type Environment, Secret } from '@airlock/config';
import { inspectConfig, renderExamples, renderDocs } from '@airlock/config/loading';
import { badEnvironments, goodEnvironments, withFolder } from '@airlock/config/testing';
import { connectClient, createSessionConfig, migrate, provision, seed } from '@airlock/database/internal';
import { refresh, withClient } from '@airlock/database/operations';
import { model } from '@airlock/model';
import { startScratchCluster } from '@airlock/embedded-postgres';
import { listEnvironmentFiles } from './environment-files.js';
import { root } from './repository.js';

const [sixth, staging] = ['sixth', 'staging'] as Environment[] as [Environment, Environment];

console.log(
  JSON.stringify({
    environments: ENVIRONMENTS,
    config: await judgeConfig(),
    database: await judgeDatabase(),
    processes: await judgeProcesses(),
    deploys: await judgeDeploys(),
    files: judgeFiles(),
  }),
);

/** Each flaw that staging or production is refused for, in the same configuration of sixth. */
async function judgeConfig() {
  const good: Record<string, string> = { ...goodEnvironments.production, ENVIRONMENT: sixth };
  const flaws = badEnvironments.filter(
    ({ base, set }) => /^(staging|production)$/.test(base) && !('ENVIRONMENT' in set),
  );
  const accepted = [];
  for (const { title, set, files = {} } of flaws) {
    const { violations } = await withFolder(files, (cwd) => inspectConfig({ env: { ...good, ...set }, cwd }));
    if (violations.length === 0) accepted.push(title);
  }
  const named = (database: string) => ({
    DATABASE_URL: (good['DATABASE_URL'] ?? '').replace('/airlock?', `/${database}?`),
  });
  const others = { ...good, ...named('airlock_staging') };
  const mine = { ...goodEnvironments.staging, ...named('airlock_sixth') };
  return { good: refusals(good), flaws: flaws.length, accepted, others: refusals(others), mine: refusals(mine) };
}

function refusals(env: Readonly<Record<string, string | undefined>>): string[] {
  return inspectConfig({ env, files: false }).violations.map(({ name, problem }) => `${name} ${problem}`);
}

async function judgeDatabase() {
  const cluster = await startScratchCluster();
  const address = (user: string, database: string): DatabaseAddress => ({
    ...cluster.superuser,
    ...{ user, database, password: new Secret('a-Long-Enough-Passw0rd') },
  });
  const describe = (environment: Environment, database: string) => ({
    ...{ environment, admin: cluster.superuser },
    app: address(`${database}_app`, database),
    migration: address(`${database}_migrator`, database),
  });
  const ask = async (database: string, sql: string) => {
    const context = { config: createSessionConfig(sixth), purpose: 'spec' };
    const client = await connectClient({ ...cluster.superuser, database }, context);
    const answer = await client.query(sql).then(() => 'done', messageOf);
    await client.end();
    return answer;
  };
  try {
    const own = describe(sixth, 'airlock');
    const { stamp } = await provision(own);
    const config = await createConfig(own);
    await migrate({ ...model, config });
    await provision(describe(staging, 'elsewhere'));
    await ask('postgres', 'CREATE DATABASE airlock_copy TEMPLATE elsewhere');
    const copy = describe(sixth, 'airlock_copy');
    return {
      stamp: stamp.environment,
      again: (await provision(own)).warnings,
      drop: await ask('airlock', 'DROP TABLE entities'),
      restamp: await ask('airlock', `SELECT ops.restamp('airlock_tpl')`),
      template: await ask('airlock_tpl', 'SELECT 1').catch(messageOf),
      seed: await seed({ ...model, config }).then(() => 'done', messageOf),
      refresh: await refreshFrom(copy, config).then(() => 'done', messageOf),
      adopt: await provision({ ...copy, adopt: 'airlock_copy' }).then(() => 'done', messageOf),
      stranger: await provision({ ...own, environment: 'uat' as Environment }).then(() => 'done', messageOf),
    };
  } finally {
    await cluster.stop();
  }
}

async function refreshFrom(copy: { admin: DatabaseAddress; app: DatabaseAddress }, config: Config) {
  const { migrations } = model;
  const [classes, key] = [await model.loadClasses(), new Secret('k'.repeat(32))];
  return withClient({ ...copy.admin, database: copy.app.database }, { config, purpose: 'spec' }, (source) =>
    refresh({ migrations, classes, config, source, key }),
  );
}

/** A real config of a database that sixth would be refused: it is on this machine. */
async function createConfig({ app, migration }: { app: DatabaseAddress; migration: DatabaseAddress }): Promise<Config> {
  const { config } = await withFolder({}, (cwd) =>
    inspectConfig({ env: { ...goodEnvironments.production, ENVIRONMENT: sixth }, cwd }),
  );
  if (!config) throw new Error('sixth: its good configuration is refused');
  return { ...config, database: { ...config.database, app, migration } };
}

async function judgeProcesses() {
  const { createSecurityHeaders } = await load<{ createSecurityHeaders: (of: string) => object }>(
    'libs/service/src/http/security-headers.ts',
  );
  const { loadTokenRules } = await load<{ loadTokenRules: (config: object) => Promise<object> }>(
    'libs/service/src/auth/token-rules.ts',
  );
  const { checks } = await load<{ checks: readonly Check[] }>('apps/smoke/src/check/checks.ts');
  const { assertStampWritable } = await load<{ assertStampWritable: (status: string) => void }>(
    'apps/smoke/src/e2e/assert-writable.ts',
  );
  const { intent } = await load<{ intent: Layer }>('libs/database-dev/src/testing/reset/l0-intent.ts');
  const inspection = inspectConfig({ env: { ENVIRONMENT: sixth }, files: false });
  const looked = (environment: string) =>
    checks.filter(({ appliesTo }) => appliesTo?.({ environment, url: 'https://x' }) ?? true).length;
  return {
    headers: createSecurityHeaders(sixth),
    localIssuer: await loadTokenRules({ environment: sixth, auth: {} }).then(() => 'trusted', messageOf),
    smoke: { sixth: looked(sixth), production: looked('production') },
    e2e: attempt(() => assertStampWritable(JSON.stringify({ environment: sixth, database: 'airlock' }))),
    reset: intent.judge({ variables: { ENVIRONMENT: sixth }, inspection }).problems.map(({ problem }) => problem),
  };
}

async function judgeDeploys() {
  const { createSettings } = await load<Settings>('libs/deploy/src/release/deploy-settings.ts');
  const { assertPromotion } = await load<Promotion>('libs/deploy/src/release/promotion.ts');
  const { assertIsolated } = await load<Preview>('libs/deploy/src/preview/assert-isolated.ts');
  const promote = (from: string, to: string) => attempt(() => assertPromotion({ from, to }));
  const model = { services: { api: { environment: { ENVIRONMENT: sixth } } } };
  return {
    files: createSettings(sixth, {}).files,
    promote: promote('staging', sixth),
    promoteFrom: promote(sixth, 'production'),
    preview: attempt(() => assertIsolated(model, {})),
  };
}

function load<T>(path: string): Promise<T> {
  return import(join(root, path)) as Promise<T>;
}

function attempt(act: () => void): string {
  try {
    act();
    return 'done';
  } catch (error) {
    return messageOf(error);
  }
}

function judgeFiles() {
  const example = renderExamples().find(({ path }) => path.includes('sixth'));
  return {
    missing: listEnvironmentFiles().filter((path) => !existsSync(join(root, path))),
    example: example?.content.split('\n').filter((line) => /^[A-Z]/.test(line)),
    reference: renderDocs().every(({ content }) => /\| production\s+\| sixth\s+\|/.test(content)),
  };
}

function messageOf(error: unknown): string {
  return (error as Error).message;
}

interface Check {
  readonly appliesTo?: (expected: object) => boolean;
}

interface Layer {
  readonly judge: (facts: object) => { readonly problems: readonly { readonly problem: string }[] };
}

interface Settings {
  readonly createSettings: (environment: string, options: object) => { readonly files: readonly string[] };
}

interface Promotion {
  readonly assertPromotion: (way: { from: string; to: string }) => void;
}

interface Preview {
  readonly assertIsolated: (model: object, own: object) => void;
}
