import { PassThrough } from 'node:stream';
import { loadConfig } from '@airlock/config/loading';
import { describe, expect, it } from '@jest/globals';
import { createFlatLogger, createLogger } from './logger.js';
import { createPrettyStream } from './pretty-log.js';

const config = loadConfig({
  env: { ENVIRONMENT: 'testing', DATABASE_URL: 'postgres://a_app:q7Vd2mXc81LkPz0w@127.0.0.1:1/a_test' },
  cwd: '/',
});

const loud = { ...config, log: { ...config.log, level: 'info' as const } };

describe('a pretty log', () => {
  it('shows a request in one readable line', async () => {
    const { logger, text } = await openPretty();
    logger.info(
      {
        method: 'GET',
        path: '/api/v1/orders',
        route: '/api/v1/orders',
        status_code: 200,
        duration_ms: 3.2,
        user: 'me',
      },
      'request',
    );
    expect(text()).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: GET \/api\/v1\/orders 200 3\.2 ms me\n$/);
  });

  it('shows the other fields after the event', async () => {
    const { logger, text } = await openPretty();
    logger.info({ url: 'http://127.0.0.1:8000' }, 'listening');
    expect(text()).toMatch(/INFO: listening \{"url":"http:\/\/127\.0\.0\.1:8000"\}\n$/);
  });

  it('shows an error with its stack, and no secret', async () => {
    const { logger, text } = await openPretty();
    logger.error(
      { error: new Error('it broke'), password: 'q7Vd2mXc81LkPz0w', key: config.database.app.password },
      'failed',
    );
    expect(text()).toContain('it broke');
    expect(text()).toContain('logger.spec.ts');
    expect(text()).not.toContain('q7Vd2mXc81LkPz0w');
  });
});

describe('a log as JSON', () => {
  const secrets = { password: 'q7Vd2mXc81LkPz0w', headers: { authorization: 'q7Vd2mXc81LkPz0w' } };

  it('redacts by key, down to two levels', () => {
    const { logger, text } = openJson();
    logger.info({ ...secrets, request: { headers: secrets.headers } }, 'said');
    const line = text();
    expect(JSON.parse(line)).toMatchObject({ event: 'said', password: '[redacted]' });
    expect(line).not.toContain('q7Vd2mXc81LkPz0w');
  });

  it('redacts by key if its fields hold no objects', () => {
    const { logger, text } = openJson();
    createFlatLogger(logger).info({ method: 'GET', token: 'q7Vd2mXc81LkPz0w' }, 'request');
    expect(JSON.parse(text())).toMatchObject({ event: 'request', method: 'GET', token: '[redacted]' });
  });
});

function openJson() {
  const stream = new PassThrough();
  const logger = createLogger(loud, { version: '1', destination: stream });
  return { logger, text: () => String(stream.read() ?? '') };
}

async function openPretty() {
  const stream = new PassThrough();
  const chunks: string[] = [];
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk.toString()));
  const destination = await createPrettyStream({ destination: stream, colorize: false });
  return { logger: createLogger(loud, { version: '1', destination }), text: () => chunks.join('') };
}
