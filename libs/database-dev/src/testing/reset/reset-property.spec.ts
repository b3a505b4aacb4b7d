import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { Client } from 'pg';
import { startServers, World, type Servers } from './world.fixture.js';

const RUNS = 60;
let servers: Servers;
let world: World;

beforeAll(async () => {
  servers = await startServers();
  world = await new World(servers, 'airlock_test').provision();
  await world.provisionProduction();
}, 60_000);
afterAll(async () => {
  await world.dispose();
  await servers.stop();
});

const oneOf = <T>(right: T, ...wrong: T[]) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: fc.constantFrom(...wrong) });

/** Mostly correct, so that some attempts are completely correct and the others differ in one or two parts. */
const attempts = fc.record({
  environment: oneOf<string | undefined>('testing', undefined, '', 'production', 'Testing', 'testing '),
  host: oneOf('127.0.0.1', 'localhost', '127.1', '0.0.0.0', '[::1]', 'db.prod'),
  server: oneOf<'test' | 'production'>('test', 'production'),
  database: oneOf('airlock_test', 'airlock', 'postgres', 'prod_test', 'contest', 'airlock%5Ftest'),
  suffix: oneOf('', '?host=prod', '?dbname=prod', '#x', '?sslmode=require'),
  others: fc.dictionary(
    fc.constantFrom(
      'PGHOST',
      'PGDATABASE',
      'PGOPTIONS',
      'CI',
      'FORCE',
      'NODE_ENV',
      'KUBERNETES_SERVICE_HOST',
      'DATABASE_URL',
    ),
    fc.constantFrom('prod', 'test', 'production', 'true', ''),
    { maxKeys: 2 },
  ),
});

describe('resetTestDatabase, over generated environments and addresses', () => {
  it('sends no destructive statement unless every layer holds', async () => {
    const sent: string[] = [];
    const { query } = Client.prototype as unknown as { query: (...args: unknown[]) => unknown };
    const spy = jest
      .spyOn(Client.prototype as unknown as { query: typeof query }, 'query')
      .mockImplementation(function (this: Client, ...args: unknown[]) {
        const [first] = args;
        sent.push(typeof first === 'string' ? first : String((first as { text?: string }).text));
        return query.apply(this, args);
      });
    const outcomes = { reset: 0, refused: 0, allowed: 0 };
    await fc.assert(
      fc.asyncProperty(attempts, async ({ environment, host, server, database, suffix, others }) => {
        const { port } = servers[server];
        world.writeUrls(
          `${world.url('app', { host, port, database })}${suffix}`,
          `${world.url('migrator', { host, port, database })}${suffix}`,
        );
        sent.length = 0;
        const report = await world.reset(undefined, { ...others, ENVIRONMENT: environment });
        outcomes[report.outcome] += 1;
        const holds = report.verdicts.every(({ verdict }) => verdict === 'holds') && report.failure === undefined;
        expect(report.outcome === 'reset').toBe(holds);
        expect(sent.some(isDestructive)).toBe(holds);
      }),
      { numRuns: RUNS },
    );
    spy.mockRestore();
    expect(await world.isCanaryAlive()).toBe(true);
    expect(outcomes.reset).toBeGreaterThan(3);
    expect(outcomes.refused).toBeGreaterThan(3);
  }, 180_000);
});

function isDestructive(sql: string): boolean {
  return /\b(DROP|TRUNCATE|DELETE|ALTER|CREATE|COMMENT|GRANT|REVOKE|UPDATE|INSERT)\b/.test(sql) || /restamp/.test(sql);
}
