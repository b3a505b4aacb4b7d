import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assertSettingsReachStack } from './settings-file.js';

const COMPOSE = {
  'compose.yml': `
services:
  api:
    extends: { file: docker/hosted.yml, service: api }
    image: \${API_REPOSITORY:?is the repository}@$IMAGE_DIGEST
    environment:
      # FROM_A_COMMENT: \${FROM_A_COMMENT}
      PRICE: '$$NOT_USED'
      PORT: '8000'
      LEVEL: \${LOG_LEVEL:-info}
      NESTED: \${OUTER:-\${INNER:-\${CORS_ORIGINS}}}
    labels: ['host=\${API_DOMAIN}']
  worker:
    environment:
      - S3_BUCKET
      - FLAG=on`,
  'docker/hosted.yml': `
include: [more/queue.yml]
services:
  api:
    environment:
      WORKERS:
      DB_ECHO: # from the settings file
      DEBUG: null`,
  'docker/more/queue.yml': 'services: { queue: { image: "${QUEUE_IMAGE}" } }',
  'compose.other.yml': 'services: { api: { image: "${OTHER_IMAGE}" } }',
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'airlock-settings-'));
  for (const [path, text] of Object.entries(COMPOSE)) write(path, text);
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const judge = (text: string, { envFile = 'staging.env', files = ['compose.yml'] } = {}) => {
  const envFiles = [write(envFile, text)];
  return () => assertSettingsReachStack({ files: files.map((file) => join(folder, file)), envFiles });
};

const unused = (name: string, expected = 'it to be left out') =>
  `sets ${name}, which no Compose file of this stack uses; expected ${expected}\n`;

describe('assertSettingsReachStack', () => {
  it.each([
    [
      'PORT=9000',
      'sets PORT; expected it to be left out, because the edge and the health checks use port 8000, 8182 for the callback and 3128 for the proxy',
    ],
    ['export ENVIRONMENT=staging', 'sets ENVIRONMENT; expected it to be left out, because the overlay belongs to one'],
    ['DATABASE_SSL_CA_FILE=/ca.pem', 'sets DATABASE_SSL_CA_FILE; expected it to be left out, because the database of'],
    ['COMPOSE_FILE=compose.yml', 'sets COMPOSE_FILE; expected it to be left out, because the command selects the'],
    ['COMPOSE_PROJECT_NAME=x', 'sets COMPOSE_PROJECT_NAME; expected it to be left out, because the command names'],
    ['WORKRES=8', unused('WORKRES', 'WORKERS')],
    ['LOG_LEVL=8', unused('LOG_LEVL', 'LOG_LEVEL')],
    ['  export WORKRES = 8', unused('WORKRES', 'WORKERS')],
    ['WORKRES: 8', unused('WORKRES', 'WORKERS')],
    ['workers=8', unused('workers', 'WORKERS')],
    ['DB-ECHO=true', unused('DB-ECHO', 'DB_ECHO')],
    ['WORKERS_FILE=/workers', unused('WORKERS_FILE', 'WORKERS')],
    ['S3_BUKET=x', unused('S3_BUKET', 'S3_BUCKET')],
    ['WORK=8', unused('WORK')],
    ['AIRLOCK_WORKERS=8', unused('AIRLOCK_WORKERS')],
    ['OTHER_IMAGE=x', unused('OTHER_IMAGE')],
    ['FROM_A_COMMENT=x', unused('FROM_A_COMMENT')],
    ['NOT_USED=x', unused('NOT_USED')],
    ['LEVEL=info', unused('LEVEL')],
    ['FLAG=off', unused('FLAG')],
    ['DATABASE_URL=postgres://a:b@c/d', unused('DATABASE_URL')],
    ['kH3x9QmZ2vB7nLw4TtYc8A==', unused('[not shown]')],
    ['\uFEFFWORKRES=8', unused('WORKRES', 'WORKERS')],
  ])('refuses %j', (text, problem) => {
    expect(judge(`${text}\nLOG_LEVEL=info\n`)).toThrow(problem);
  });

  it.each([
    ['WORKERS=8\nexport DB_ECHO=true\nDEBUG: false'],
    ['LOG_LEVEL=info\nIMAGE_DIGEST=sha256:0\nAPI_REPOSITORY=registry.example.com/airlock\nAPI_DOMAIN=a.example.com'],
    ['OUTER=1\nINNER=2\nS3_BUCKET=3\nQUEUE_IMAGE=4'],
    ['# WORKRES=9000\n  #PORT=9000'],
    ['CORS_ORIGINS=https://x.example.com?PORT=1'],
    ['CORS_ORIGINS="https://x.example.com\nWORKRES=8\n"\nWORKERS=1'],
    ['COMPOSE_PARALLEL_LIMIT=2\nCOMPOSE_PROFILES=worker'],
    [''],
  ])('accepts %j', (text) => {
    expect(judge(text)).not.toThrow();
  });

  it('reports every line, and no value', () => {
    const text = 'WORKERS=1\n\n# the next\nWORKRES=hunter2\r\nPORT=hunter2\nlog_level="hunter2\n2"\nDEBUF=hunter2\n';
    const file = join(folder, 'staging.env');
    expect(judge(text)).toThrow(
      new Error(
        [
          `${file}:4: sets WORKRES, which no Compose file of this stack uses; expected WORKERS`,
          `${file}:5: sets PORT; expected it to be left out, because the edge and the health checks use port 8000, 8182 for the callback and 3128 for the proxy`,
          `${file}:6: sets log_level, which no Compose file of this stack uses; expected LOG_LEVEL`,
          `${file}:8: sets DEBUF, which no Compose file of this stack uses; expected DEBUG`,
          '  correct or remove these lines; docs/docker.md lists the variables that may be set',
        ].join('\n'),
      ),
    );
  });

  it('accepts the image of builds in the lock of images', () => {
    expect(judge('NODE_IMAGE=node@sha256:0', { envFile: 'images.lock' })).not.toThrow();
    expect(judge('NODE_IMAGE=node@sha256:0')).toThrow(unused('NODE_IMAGE'));
  });

  it('counts the variables of every Compose file of the command', () => {
    expect(judge('OTHER_IMAGE=x', { files: ['compose.yml', 'compose.other.yml'] })).not.toThrow();
  });

  it('leaves files that it cannot read to Compose, which reports them', () => {
    expect(judge('WORKRES=8', { files: ['compose.yml', 'missing.yml'] })).not.toThrow();
    const files = [join(folder, 'compose.yml')];
    expect(() => assertSettingsReachStack({ files, envFiles: [join(folder, 'missing.env'), folder] })).not.toThrow();
  });

  it('leaves a pipe to Compose, because it can be read only once', () => {
    const pipe = join(folder, 'pipe.env');
    execFileSync('mkfifo', [pipe]);
    const files = [join(folder, 'compose.yml')];
    expect(() => assertSettingsReachStack({ files, envFiles: [pipe] })).not.toThrow();
  });
});
