import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FIXED_IN_STACKS } from '@airlock/config';
import { assertSettingsReachStack } from '@airlock/deploy/testing';
import { composeFiles, root } from './compose-copy.fixture.js';
import { sampleSettingsFile } from './compose-overlays.js';
import { attempt } from './engine.fixture.js';

/** `docker/compose` and `airlock deploy` read the same settings files. Needs Compose, but no engine. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'compose-settings-'));
  for (const file of ['docker/compose', 'docker/unused-settings.awk', ...composeFiles])
    cpSync(join(root, file), join(folder, file));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The exit code and the output of `docker/compose`, and the refusal of `airlock deploy`. */
const judge = (environment: 'preview' | 'staging' | 'production', text: string) => {
  const settings = `docker/settings/${environment}.env`;
  // A preview has no Redis.
  const rest = environment === 'preview' ? sampleSettingsFile.replace(/^REDIS_IMAGE=.*\n/m, '') : sampleSettingsFile;
  writeFileSync(join(folder, settings), `${text}\n${rest}`);
  const selector = environment === 'preview' ? 'preview-42' : environment;
  const compose = attempt(join(folder, 'docker/compose'), [selector, 'config', '--quiet'], folder);
  const swarm = environment === 'preview' ? [] : ['docker/swarm.yml'];
  const files = ['compose.yml', `compose.${environment}.yml`, ...swarm].map((file) => join(folder, file));
  return { status: compose.status, compose: compose.output, deploy: refusal(files, join(folder, settings)) };
};

function refusal(files: string[], envFile: string): string {
  try {
    assertSettingsReachStack({ files, envFiles: [envFile] });
    return '';
  } catch (error) {
    return `${(error as Error).message.replaceAll(`${folder}/`, '')}\n`;
  }
}

const FIX = '  correct or remove these lines; docs/docker.md lists the variables that may be set\n';

describe('a settings file', () => {
  it.each([
    ['staging', 'WORKRES=8', 'WORKRES', 'WORKERS'],
    ['production', 'LOG_LEVL=hunter2', 'LOG_LEVL', 'LOG_LEVEL'],
    ['preview', 'EDGE_NETWROK=hunter2', 'EDGE_NETWROK', 'EDGE_NETWORK'],
    ['staging', '  export DATABASE_POOLSIZE = hunter2', 'DATABASE_POOLSIZE', 'DATABASE_POOL_SIZE'],
    ['staging', "LOG_LEVL: 'hunter2'", 'LOG_LEVL', 'LOG_LEVEL'],
    ['staging', 'cors_origins=hunter2', 'cors_origins', 'CORS_ORIGINS'],
    ['staging', 'LOG-LEVEL=hunter2', 'LOG-LEVEL', 'LOG_LEVEL'],
    ['staging', 'WORKERS_FILE=/hunter2', 'WORKERS_FILE', 'WORKERS'],
    ['staging', '\uFEFFSECRET_DIR=/hunter2', 'SECRET_DIR', 'SECRETS_DIR'],
    ['staging', 'DATABASE_URL=postgres://a:hunter2@b/c', 'DATABASE_URL', 'it to be left out'],
    ['staging', 'AIRLOCK_WORKERS=8', 'AIRLOCK_WORKERS', 'it to be left out'],
    ['staging', 'WORK=8', 'WORK', 'it to be left out'],
    ['staging', 'POSTGRES_PORT=5432', 'POSTGRES_PORT', 'it to be left out'],
    ['staging', 'TEST_REDIS_PORT=6380', 'TEST_REDIS_PORT', 'it to be left out'],
    ['staging', 'EDGE_NETWORK=hunter2', 'EDGE_NETWORK', 'it to be left out'],
    ['production', 'PREVIEW_DOMAIN=hunter2', 'PREVIEW_DOMAIN', 'it to be left out'],
    ['preview', 'DATA_NODE=hunter2', 'DATA_NODE', 'it to be left out'],
    ['staging', 'kH3x9QmZ2vB7nLw4TtYc8A==', '[not shown]', 'it to be left out'],
    ['preview', 'REDIS_URL=redis://:hunter2@b/0', 'REDIS_URL', 'it to be left out'],
  ] as const)('of %s must not set a name that nothing uses: %s', (environment, line, name, expected) => {
    const problem = `docker/settings/${environment}.env:1: sets ${name}, which no Compose file of this stack uses; expected ${expected}\n${FIX}`;
    expect(judge(environment, line)).toEqual({ status: 64, compose: problem, deploy: problem });
  });

  it.each(Object.entries(FIXED_IN_STACKS))('must not set %s, which is fixed', (name, reason) => {
    expect(judge('staging', `# a comment\n${name}=hunter2`)).toEqual({
      status: 64,
      compose: `docker/settings/staging.env:2: sets ${name}, which no Compose file of this stack uses; expected it to be left out\n${FIX}`,
      deploy: `docker/settings/staging.env:2: sets ${name}; expected it to be left out, because ${reason}\n${FIX}`,
    });
  });

  it.each([
    ['staging', 'WORKERS=8\nexport LOG_LEVEL=info\nDB_ECHO: false'],
    ['production', 'DATA_NODE=node.hostname == a\nEDGE_NODE=node.hostname == b'],
    ['preview', 'PREVIEW_DOMAIN=preview.example.com\nEDGE_NETWORK=airlock-edge_edge'],
    ['staging', '# WORKRES=8\n  # export PORT=9000'],
    ['staging', 'SERVICE_NAME="several\nWORKRES=8\nlines"\nWITH_UI=\'a\nPORT=1\n\''],
    ['staging', 'SERVICE_NAME="a \\" quote"\nCORS_ORIGINS="https://a.example.com" # PORT=1'],
    ['staging', 'COMPOSE_PARALLEL_LIMIT=2'],
  ] as const)('of %s may set %j', (environment, text) => {
    expect(judge(environment, text)).toEqual({ status: 0, compose: '', deploy: '' });
  });

  it('reports every line', () => {
    const { status, compose, deploy } = judge('staging', '\nWORKRES=8\r\nWORKERS=8\r\nLOG_LEVL=info\r');
    expect([status, compose]).toEqual([64, deploy]);
    expect(compose.split('\n').map((line) => line.split(' ', 3).join(' '))).toEqual([
      'docker/settings/staging.env:2: sets WORKRES,',
      'docker/settings/staging.env:4: sets LOG_LEVL,',
      '  correct',
      '',
    ]);
  });
});
