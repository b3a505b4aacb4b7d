import { mkdtempSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect } from '@jest/globals';
import { defineService } from '../testing/define-service.fixture.js';
import { useTestApp } from '../testing/use-test-app.fixture.js';
import { createTable, DocumentsModule, PDF } from './documents.fixture.js';

export const scan = new Blob([PDF]);
export const FORM = { 'content-type': 'multipart/form-data; boundary=b' };
/** A file as a part of a form, and a whole request. */
export const file = `name="scan"; filename="a"\r\n\r\n${PDF.toString()}`;
export const whole = parts('name="title"\r\n\r\na', file).toString('latin1');

export function form(fields: Record<string, string | Blob>, name = 'scan.pdf'): FormData {
  const body = new FormData();
  for (const [part, value] of Object.entries(fields))
    if (typeof value === 'string') body.append(part, value);
    else body.append(part, value, name);
  return body;
}

/** The bytes of a form, each part as it is written. */
export function parts(...texts: string[]): Buffer<ArrayBuffer> {
  return Buffer.from(
    [...texts.map((part) => `--b\r\ncontent-disposition: form-data; ${part}\r\n`), '--b--\r\n'].join(''),
    'latin1',
  );
}

/** An app that takes documents, listening, with an empty folder for each test. */
export function useFilesWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-files-'));
  const app = useTestApp(defineService(DocumentsModule), {
    configure: (config) => ({
      ...config,
      storage: { kind: 'folder', path: folder },
      http: { ...config.http, requestTimeoutMs: 1_500 },
    }),
  });
  const at = { url: '', token: '', other: '' };
  beforeAll(async () => {
    await createTable((sql) => app.database.query(sql));
    await app.app.nest.listen(0, '127.0.0.1');
    at.url = `${await app.app.nest.getUrl()}/api/v1/documents`;
    const [token = '', other = ''] = await Promise.all(['user_1', 'user_2'].map((sub) => app.issuer.sign({ sub })));
    Object.assign(at, { token, other });
  });
  beforeEach(async () => {
    await app.database.query('TRUNCATE documents, ops.files_to_remove');
    for (const name of await stored()) await rm(join(folder, name));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const stored = async () => (await readdir(folder)).filter((name) => !name.endsWith('.json'));
  const listed = async () => (await app.database.query<{ key: string }>('SELECT key FROM ops.files_to_remove')).length;
  const rows = () => app.database.query<Record<string, unknown>>('SELECT * FROM documents');
  /** The response comes before the object is removed. */
  const expectNothing = async () => {
    for (let i = 0; i < 100 && ((await stored()).length > 0 || (await listed()) > 0); i += 1) await sleep(20);
    expect([await stored(), await listed(), await rows()]).toEqual([[], 0, []]);
  };
  const post = async (
    body: FormData | string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
    path = '',
  ) => {
    const response = await fetch(`${at.url}${path}`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${at.token}`, ...headers },
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  /** Writes to a socket: the whole request, or less. */
  const send = (body: string, headers: Record<string, string>, path = '') => {
    const { port, pathname } = new URL(at.url);
    const socket = connect(Number(port), '127.0.0.1');
    const all = { host: 'a', authorization: `Bearer ${at.token}`, ...FORM, ...headers };
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`POST ${pathname}${path} HTTP/1.1\r\n${head.join('')}\r\n${body}`);
    const response = text(socket).catch(() => '');
    return { socket, response };
  };
  return { app, at, folder, stored, listed, rows, expectNothing, post, send };
}
