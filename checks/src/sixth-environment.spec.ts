import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { root } from './repository.js';

const run = promisify(execFile);
const program = (name: string) => join(root, 'checks/src', name);

/** The table of environments with one more row, `sixth: {}`, in a process that runs the real sources. */
describe('an environment that states nothing', () => {
  let judged: Judged;

  beforeAll(async () => {
    const args = ['--import', program('sixth-environment.mjs'), program('sixth-environment.fixture.ts')];
    judged = JSON.parse((await run(process.execPath, args, { cwd: root, env: {} })).stdout) as Judged;
  });

  it('is one of six', () => {
    expect(judged.environments).toEqual(['development', 'testing', 'preview', 'staging', 'production', 'sixth']);
  });

  it('accepts a good configuration, and none of the flaws that staging and production refuse', () => {
    expect(judged.config.good).toEqual([]);
    expect(judged.config.flaws).toBeGreaterThan(50);
    // Its network is closed, as it states no permission to reach hosts.
    expect(judged.config.accepted).toEqual(['a proxy in production']);
  });

  it('isolates its databases from those of the others', () => {
    expect(judged.config.others).toEqual([
      expect.stringMatching(/word staging belongs to another environment than sixth$/),
    ]);
    expect(judged.config.mine).toEqual([
      expect.stringMatching(/word sixth belongs to another environment than staging$/),
    ]);
  });

  it('has a database with its stamp, where nothing is dropped and nothing is reset', () => {
    expect(judged.database).toMatchObject({
      stamp: 'sixth',
      again: [],
      drop: 'table public.entities: cannot be dropped in sixth; expected the migrator, in a contract migration',
      restamp: expect.stringContaining('does not exist') as unknown,
      template: expect.stringContaining('does not exist') as unknown,
    });
    expect(judged.processes.reset).toEqual(['ENVIRONMENT is "sixth"; expected exactly "testing"']);
  });

  it('accepts no sample data and no copy of another environment', () => {
    expect(judged.database).toMatchObject({
      seed: expect.stringContaining('seeds are sample data, and this is sixth') as unknown,
      refresh: expect.stringContaining('ENVIRONMENT: is sixth; expected staging') as unknown,
      adopt: expect.stringContaining('Only a copy of sixth can become sixth.') as unknown,
    });
  });

  it('is accepted by the bootstrap because it is in the table, and a name outside of the table is refused', () => {
    expect(judged.database.stranger).toContain(
      'is "uat"; expected development, testing, preview, staging, production or sixth',
    );
  });

  it('sends browsers to TLS, trusts no local issuer, and is read and written with the checks of production', () => {
    const { headers, localIssuer, smoke, e2e } = judged.processes;
    expect(headers).toHaveProperty('strict-transport-security');
    expect(localIssuer).toContain('expected the issuer of your tokens');
    expect(smoke.sixth).toBe(smoke.production);
    expect(e2e).toContain('is stamped sixth; expected development, testing, preview');
  });

  it('is deployed to a swarm only by promotion, and is not a preview', () => {
    expect(judged.deploys.files).toEqual(['compose.yml', 'compose.sixth.yml', 'docker/swarm.yml']);
    expect(judged.deploys.promote).toBe('done');
    expect(judged.deploys.promoteFrom).toContain('expected from staging to production or sixth');
    expect(judged.deploys.preview).toContain('ENVIRONMENT is "sixth"; expected "preview"');
  });

  it('lacks its example and its overlay, and gets an example without permissions', () => {
    expect(judged.files.missing).toEqual(['docker/env/sixth.env.example', 'compose.sixth.yml']);
    expect(judged.files.example.map((line) => line.split('=')[0])).toEqual([
      'ENVIRONMENT',
      'SECRET_KEY',
      'DATABASE_URL',
      'REDIS_URL',
      'CORS_ORIGINS',
      'AUTH_ISSUER',
      'AUTH_JWKS_URL',
      'AUTH_AUTHORIZED_PARTIES',
    ]);
    expect(judged.files.reference).toBe(true);
  });
});

interface Judged {
  environments: string[];
  config: { good: string[]; flaws: number; accepted: string[]; others: string[]; mine: string[] };
  database: { stranger: string };
  processes: {
    headers: object;
    localIssuer: string;
    smoke: { sixth: number; production: number };
    e2e: string;
    reset: string[];
  };
  deploys: { files: string[]; promote: string; promoteFrom: string; preview: string };
  files: { missing: string[]; example: string[]; reference: boolean };
}
