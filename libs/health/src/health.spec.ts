import { describe, expect, it } from '@jest/globals';
import { type Finding, Health, type Indicator } from './health.js';
import { Lifecycle } from './lifecycle.js';

const version = { name: 'airlock-api', version: '1.2.3', commit: 'abcdef0', builtAt: null, digest: null };
type Word = Finding[string]['status'];
const say = (name: string, status: Word): Indicator => ({
  ask: () => Promise.resolve({ [name]: { status, latencyMs: 1.23 } }),
});

function createHealth(...indicators: Indicator[]) {
  const lifecycle = new Lifecycle();
  return { lifecycle, health: new Health({ lifecycle, indicators, version }) };
}

describe('Health', () => {
  it.each<[string, Word, Word, number, object]>([
    ['all is up', 'up', 'up', 200, { status: 'ok', checks: { database: 'up', redis: 'up' } }],
    [
      'an optional component is unavailable',
      'up',
      'degraded',
      200,
      { status: 'degraded', checks: { database: 'up', redis: 'degraded' } },
    ],
    ['a required component is down', 'down', 'up', 503, { status: 'down', checks: { database: 'down', redis: 'up' } }],
    [
      'one is down and one degraded',
      'down',
      'degraded',
      503,
      { status: 'down', checks: { database: 'down', redis: 'degraded' } },
    ],
  ])('reports readiness when %s', async (_, database, redis, statusCode, body) => {
    const { health, lifecycle } = createHealth(say('database', database), say('redis', redis));
    lifecycle.serve();
    expect(await health.readyz()).toEqual({ statusCode, body });
  });

  it('is not ready before it serves, and reports draining without any cache', async () => {
    const { health, lifecycle } = createHealth(say('database', 'up'));
    expect(await health.readyz()).toEqual({ statusCode: 503, body: { status: 'starting' } });
    lifecycle.serve();
    await health.readyz();
    lifecycle.drain();
    expect(await health.readyz()).toEqual({ statusCode: 503, body: { status: 'draining' } });
  });

  it('reports draining if the signal arrives while a component is checked', async () => {
    const { health, lifecycle } = createHealth({
      ask: () => {
        lifecycle.drain();
        return say('database', 'up').ask();
      },
    });
    lifecycle.serve();
    expect((await health.readyz()).statusCode).toBe(503);
  });

  it('reports a finished start for ever', async () => {
    let word: Word = 'down';
    const { health, lifecycle } = createHealth({ ask: () => say('database', word).ask() });
    lifecycle.serve();
    expect((await health.startupz()).statusCode).toBe(503);
    word = 'up';
    expect(await health.startupz()).toEqual({ statusCode: 200, body: { status: 'ok' } });
    word = 'down';
    lifecycle.drain();
    expect((await health.startupz()).statusCode).toBe(200);
  });

  it('stays alive when components fail', () => {
    const { health, lifecycle } = createHealth(say('database', 'down'));
    lifecycle.drain();
    expect(health.healthz()).toEqual({ statusCode: 200, body: { status: 'ok' } });
  });

  it('shows each component with its latency', async () => {
    const database = { ...say('database', 'up'), figures: () => ({ waiting: 3 }) };
    const { health } = createHealth(database, say('redis', 'degraded'));
    expect(await health.detail()).toMatchObject({
      statusCode: 200,
      body: {
        status: 'warn',
        checks: {
          'database:responseTime': [{ observedValue: 1.2, observedUnit: 'ms', status: 'pass' }],
          'database:waiting': [{ observedValue: 3, status: 'pass' }],
          'redis:responseTime': [{ observedValue: 1.2, observedUnit: 'ms', status: 'warn' }],
        },
      },
    });
  });
});
