import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from './load-config.js';
import { goodEnvironments } from '../testing/index.js';

const env = {
  ...goodEnvironments.production,
  CORS_ORIGINS: 'https://a.corp.net,https://b.corp.net',
  REQUEST_TIMEOUT: '20s',
};
const config = loadConfig({ env, files: false });

describe('the config', () => {
  it('is deeply frozen', () => {
    expect(findUnfrozen(config)).toEqual([]);
    expect(() => Object.assign(config.service, { debug: true })).toThrow(TypeError);
    expect(() => (config.http.corsOrigins as string[]).push('*')).toThrow(TypeError);
  });

  it('holds typed values', () => {
    expect(config).toMatchObject({
      environment: 'production',
      testing: false,
      service: { name: 'airlock-api', host: '0.0.0.0', port: 8000, debug: false, workers: 4, withUi: false },
      http: {
        requestTimeoutMs: 20_000,
        corsOrigins: ['https://a.corp.net', 'https://b.corp.net'],
        trustedProxyHops: 1,
      },
      database: { server: 'external', migration: undefined, app: { host: 'db.corp.net', sslMode: 'verify-full' } },
      shutdown: { drainMs: 5_000, requestMs: 25_000, teardownMs: 5_000, graceMs: 45_000 },
    });
  });

  it('has no Redis if none is set', () => {
    expect(loadConfig({ env: goodEnvironments.preview, files: false }).redis).toBeUndefined();
  });

  it('shows no secret when printed', () => {
    expect(inspect(config, { depth: null, showHidden: true }) + JSON.stringify(config)).not.toContain(
      'wNk3v0qXZr8bYt5L',
    );
  });
});

function findUnfrozen(value: unknown, path = 'config'): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, one]) => findUnfrozen(one, `${path}.${key}`));
  return Object.isFrozen(value) ? inner : [path, ...inner];
}
