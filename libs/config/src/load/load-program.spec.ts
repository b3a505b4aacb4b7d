import { describe, expect, it } from '@jest/globals';
import { programNames } from '../programs/programs.js';
import { goodEnvironments, withFolder } from '../testing/index.js';
import { inspectConfig } from './inspect-config.js';
import { loadConfig } from './load-config.js';

const MIGRATION = goodEnvironments.production['DATABASE_URL']?.replace('airlock_app:', 'airlock_migrator:m1gr8-');
const everything: Readonly<Record<string, string | undefined>> = {
  ...goodEnvironments.production,
  DATABASE_MIGRATION_URL: MIGRATION,
  DATABASE_ADMIN_URL: MIGRATION?.replace('airlock_migrator:', 'admin:adm1n-'),
};
const ofReleases = ['ENVIRONMENT', 'DATABASE_URL', 'DATABASE_MIGRATION_URL', 'DATABASE_ADMIN_URL'];
const only = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, everything[name]]));

describe('loadConfig of a program', () => {
  it('gives the API no address of the migrator or the administrator, even if the process has them', () => {
    const { database, secretKey } = loadConfig({ env: everything, files: false, program: 'api' });
    expect(database).toMatchObject({ migration: undefined, admin: undefined });
    expect(secretKey).toBeDefined();
  });

  it.each(['migrate', 'provision'] as const)('neither requires nor passes variables of the API for %s', (program) => {
    const small = loadConfig({ env: only(ofReleases), files: false, program });
    const large = loadConfig({ env: everything, files: false, program });
    for (const config of [small, large]) {
      expect(config).toMatchObject({ secretKey: undefined, redis: undefined, auth: { issuer: undefined } });
      expect(config.database.migration).toBeDefined();
      expect(config.database.admin === undefined).toBe(program === 'migrate');
    }
  });

  it('gives the proxy the hosts outside, and no address of a database or key', () => {
    const { database, redis, secretKey, auth, outbound } = loadConfig({
      env: everything,
      files: false,
      program: 'outbound',
    });
    expect([database.app, database.migration, database.admin, redis, secretKey]).toEqual(Array(5).fill(undefined));
    expect([auth.jwksUrl, outbound.hosts]).toEqual([everything['AUTH_JWKS_URL'], ['*']]);
  });

  it('opens no secret file of another program', async () => {
    const env = { ...everything, SECRET_KEY: undefined, SECRET_KEY_FILE: '/run/secrets/not-there' };
    const { violations } = await withFolder({}, (cwd) => inspectConfig({ env, cwd, program: 'migrate' }));
    expect(violations).toEqual([]);
    expect(inspectConfig({ env, files: false, program: 'api' }).violations).not.toEqual([]);
  });

  it.each(programNames)('rejects for %s an invalid variable that it reads', (program) => {
    const env = { ...everything, PRIVATE_NETWORKS: '0.0.0.0/0' };
    const { violations } = inspectConfig({ env, files: false, program });
    expect(violations.map(({ name }) => name)).toContain('PRIVATE_NETWORKS');
  });

  it('does not show a secret of another program that was copied into a variable', () => {
    const env = { ...everything, LOG_LEVEL: MIGRATION, NODE_ENV: MIGRATION };
    const { violations } = inspectConfig({ env, files: false, program: 'api' });
    expect(violations.map(({ name }) => name)).toEqual(expect.arrayContaining(['LOG_LEVEL', 'NODE_ENV']));
    expect(JSON.stringify(violations)).not.toContain('m1gr8');
  });

  it('reads all variables if no program is named', () => {
    const { database, secretKey } = loadConfig({ env: everything, files: false });
    expect([database.migration, database.admin, secretKey]).not.toContain(undefined);
  });
});
