import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type Config, Secret } from '@airlock/config';
import { Controller, Get, Module, Post, type Type } from '@nestjs/common';
import { createApp } from '../app/create-app.js';
import { findRefusal } from '../failures/find-refusal.js';
import { Operation } from '../openapi/operation.js';
import { createOpenApi } from '../openapi/create-openapi.js';
import { defineService } from '../testing/define-service.fixture.js';
import { useTestApp } from '../testing/use-test-app.fixture.js';
import { DocumentsModule } from './documents.fixture.js';
import { FileStore } from './file-store.js';
import { openFiles } from './open-files.js';

const files = { scan: { maxBytes: 1, types: ['text/csv'] } };
@Controller()
class Public {
  @Post()
  @Operation({ summary: 'Take', files, access: 'public', response: { status: 201 } })
  take() {
    return undefined;
  }
}
@Controller()
class Reading {
  @Get()
  @Operation({ summary: 'Take', files, response: { status: 200 } })
  take() {
    return undefined;
  }
}
@Module({})
class EmptyModule {}
@Module({ controllers: [Public] })
class PublicModule {}
@Module({ controllers: [Reading] })
class ReadingModule {}

const folder = mkdtempSync(join(tmpdir(), 'airlock-files-'));

describe('an app with a route that takes files', () => {
  const app = useTestApp(defineService(EmptyModule));
  afterAll(() => rm(folder, { recursive: true }));
  const create = (module: Type, storage?: Config['storage']) => {
    const { config, logger, lifecycle, version } = app;
    return createApp({ ...config, storage }, { definition: defineService(module), logger, lifecycle, version });
  };

  it('does not start without a storage', async () => {
    await expect(create(DocumentsModule)).rejects.toThrow(
      'POST /api/v1/documents: has files, but STORAGE_URL is not set; expected a folder or a bucket\n  set STORAGE_URL',
    );
  });

  it.each([
    ['a public route', PublicModule, 'takes files of callers without a token'],
    ['a route that reads', ReadingModule, 'takes files; expected POST or PUT'],
  ])('does not start with files at %s', async (_, module, problem) => {
    await expect(create(module, { kind: 'folder', path: folder })).rejects.toThrow(problem);
  });

  it.each([
    ['of another environment', '{"environment":"production"}', 'is stamped production; expected the stamp testing'],
    ['that is not stamped', undefined, 'holds objects and no stamp'],
  ])('does not serve with a folder %s', async (_, stamp, problem) => {
    const path = mkdtempSync(join(tmpdir(), 'airlock-files-'));
    await writeFile(join(path, stamp ? 'airlock-environment.json' : 'mine'), stamp ?? '');
    const { nest, health } = await create(DocumentsModule, { kind: 'folder', path });
    const open = openFiles(nest.get(FileStore), app.logger);
    const error: unknown = await open.catch((caught: unknown) => caught);
    expect(findRefusal(error, app.config)?.message).toContain(problem);
    expect(JSON.stringify(await health.detail())).toMatch(/"storage[^}]*"status":"warn"/);
    await Promise.all([nest.close(), rm(path, { recursive: true })]);
  });

  it('serves other routes while the storage is unavailable', async () => {
    const secretKey = new Secret('x');
    const server = {
      host: '127.0.0.1',
      port: 1,
      hasTls: false,
      accessKey: 'k',
      secretKey,
      bucket: 'files',
      region: 'a',
    };
    const { nest } = await create(DocumentsModule, { kind: 'bucket', ...server });
    const lines = app.lines.length;
    await openFiles(nest.get(FileStore), app.logger);
    expect(app.lines.slice(lines)).toEqual([expect.objectContaining({ event: 'storage.unavailable' })]);
    await nest.close();
  });

  it('stands in the document as a form and as a download', () => {
    const document = createOpenApi({ ...defineService(DocumentsModule), version: '1', prefix: '' }) as unknown as {
      paths: Record<
        string,
        Record<string, { requestBody: { content: Record<string, object> }; responses: Record<string, object> }>
      >;
    };
    const { requestBody, responses } = document.paths['/documents']!['post']!;
    expect(requestBody.content).toEqual({
      'multipart/form-data': {
        schema: expect.objectContaining({
          type: 'object',
          additionalProperties: false,
          required: ['title', 'scan'],
          properties: {
            title: { type: 'string', minLength: 1, maxLength: 20 },
            pages: expect.anything(),
            scan: {
              type: 'string',
              format: 'binary',
              description: 'At most 1000000 bytes of application/pdf or image/png, judged by the content.',
            },
            table: expect.objectContaining({ format: 'binary' }),
          },
        }),
        encoding: { scan: { contentType: 'application/pdf, image/png' }, table: { contentType: 'text/csv' } },
      },
    });
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['201', '401', '413', '415', '422', '429', '503']));
    expect(document.paths['/documents/{id}/content']!['get']!.responses['200']).toMatchObject({
      content: { '*/*': { schema: { type: 'string', format: 'binary' } } },
    });
  });
});
