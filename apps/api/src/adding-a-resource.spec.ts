import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withClient } from '@airlock/database';
import { useTestDatabase } from '@airlock/database/testing';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApiProcess } from './testing/api-process.fixture.js';
import { TestIssuer } from './testing/test-issuer.fixture.js';

jest.setTimeout(180_000);

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const COPIED = ['apps/api/src', 'apps/api/package.json', 'apps/api/tsconfig.json', 'tsconfig.base.json'];

describe('docs/adding-a-resource.md', () => {
  const database = useTestDatabase();
  const text = readFileSync(join(ROOT, 'docs/adding-a-resource.md'), 'utf8');
  const blocksOf = (language: string) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, block = '']) => block);
  let copy: string;
  let issuer: TestIssuer;
  let api: ApiProcess | undefined;

  beforeAll(async () => {
    issuer = await TestIssuer.start();
    copy = mkdtempSync(join(tmpdir(), 'adding-a-resource-'));
    // What ships: the tests have packages of their own.
    const isSource = (path: string) => !/(\.spec\.ts|\/src\/testing)$/.test(path);
    for (const path of COPIED) cpSync(join(ROOT, path), join(copy, path), { recursive: true, filter: isSource });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  });
  afterAll(async () => {
    await api?.stop();
    await issuer.stop();
    rmSync(copy, { recursive: true, force: true });
  });

  it('has commands and statements that make a second resource, which compiles, serves and keeps owners apart', async () => {
    const commands = blocksOf('sh');
    expect(commands).toHaveLength(3);
    execFileSync('bash', ['-euo', 'pipefail', '-c', commands.join('\n')], { cwd: copy, stdio: 'pipe' });

    const { migration } = database.config.database;
    const [statements = ''] = blocksOf('sql');
    if (!migration) throw new Error('no migrator');
    await withClient(migration, { config: database.config, purpose: 'test' }, async (client) => {
      const { rows } = await client.query<{ owner: string }>(
        `SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE oid = 'entities'::regclass`,
      );
      await client.query(`SET ROLE ${client.escapeIdentifier(rows[0]?.owner ?? '')}`);
      await client.query(statements);
    });

    const config = { ...database.config, auth: issuer.auth };
    api = await ApiProcess.start({ config, folder: join(copy, 'apps/api') });
    const ask = async (user: string, method: string, path: string, body?: object) => {
      const authorization = `Bearer ${await issuer.sign({ sub: user })}`;
      const headers = { authorization, ...(body && { 'content-type': 'application/json' }) };
      return fetch(`${api?.url}/api/v1/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    };
    const created = await ask('user_1', 'POST', 'notes', { name: 'Buy tea' });
    expect([created.status, created.headers.get('etag')]).toEqual([201, '"v1"']);
    const note = (await created.json()) as { id: string };
    expect(created.headers.get('location')).toBe(`/api/v1/notes/${note.id}`);
    expect(await (await ask('user_1', 'GET', 'notes?name=Buy%20tea')).json()).toEqual({
      items: [note],
      nextCursor: null,
    });
    expect((await ask('user_2', 'GET', `notes/${note.id}`)).status).toBe(404);
    expect((await ask('user_1', 'PATCH', `notes/${note.id}`, { name: 'a' })).status).toBe(428);
    expect((await ask('user_1', 'POST', 'notes', { name: '' })).status).toBe(422);
    expect((await ask('user_1', 'GET', `entities/${note.id}`)).status).toBe(404);
    const { paths } = (await (await ask('user_1', 'GET', 'openapi.json')).json()) as { paths: object };
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/api/v1/notes', '/api/v1/notes/{id}']));
  });
});
