import { describe, expect, it } from '@jest/globals';
import { type Component, Health } from './health.js';
import { Lifecycle } from './lifecycle.js';

const version = { name: 'airlock-api', version: '1.2.3', commit: 'abcdef0', builtAt: null, digest: null };
const component = (isUp: boolean, isRequired: boolean): Component => ({
  isRequired,
  probe: () => Promise.resolve({ isUp, latencyMs: 1.23 }),
});

function createHealth(components: Record<string, Component>) {
  const lifecycle = new Lifecycle();
  return { lifecycle, health: new Health({ lifecycle, components, version }) };
}

describe('Health', () => {
  it.each([
    ['all is up', true, true, 200, { status: 'ok', checks: { database: 'up', redis: 'up' } }],
    [
      'an optional component is down',
      true,
      false,
      200,
      { status: 'degraded', checks: { database: 'up', redis: 'degraded' } },
    ],
    ['a required component is down', false, true, 503, { status: 'down', checks: { database: 'down', redis: 'up' } }],
  ])('answers readiness when %s', async (_, database, redis, statusCode, body) => {
    const { health, lifecycle } = createHealth({ database: component(database, true), redis: component(redis, false) });
    lifecycle.serve();
    expect(await health.readyz()).toEqual({ statusCode, body });
  });

  it('is not ready before it serves, and draining past every cache', async () => {
    const { health, lifecycle } = createHealth({ database: component(true, true) });
    expect(await health.readyz()).toEqual({ statusCode: 503, body: { status: 'starting' } });
    lifecycle.serve();
    await health.readyz();
    lifecycle.drain();
    expect(await health.readyz()).toEqual({ statusCode: 503, body: { status: 'draining' } });
  });

  it('says draining when the signal comes while a component is asked', async () => {
    const lifecycle = new Lifecycle();
    const probe = () => {
      lifecycle.drain();
      return Promise.resolve({ isUp: true, latencyMs: 1 });
    };
    const health = new Health({ lifecycle, version, components: { database: { isRequired: true, probe } } });
    lifecycle.serve();
    expect((await health.readyz()).statusCode).toBe(503);
  });

  it('latches the start: it never takes a started process out again', async () => {
    let isUp = false;
    const probe = () => Promise.resolve({ isUp, latencyMs: 1 });
    const { health, lifecycle } = createHealth({ database: { isRequired: true, probe } });
    lifecycle.serve();
    expect((await health.startupz()).statusCode).toBe(503);
    isUp = true;
    expect(await health.startupz()).toEqual({ statusCode: 200, body: { status: 'ok' } });
    isUp = false;
    lifecycle.drain();
    expect((await health.startupz()).statusCode).toBe(200);
  });

  it('stays alive whatever happens to its components', () => {
    const { health, lifecycle } = createHealth({ database: component(false, true) });
    lifecycle.drain();
    expect(health.healthz()).toEqual({ statusCode: 200, body: { status: 'ok' } });
  });

  it('shows people each component with its latency', async () => {
    const { health } = createHealth({ database: component(true, true), redis: component(false, false) });
    expect(await health.detail()).toMatchObject({
      statusCode: 200,
      body: {
        status: 'warn',
        checks: { 'database:responseTime': [{ observedValue: 1.2, observedUnit: 'ms', status: 'pass' }] },
      },
    });
  });
});
