import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Type } from '@nestjs/common';
import type { FastifyInstance, FastifyReply } from 'fastify';

export interface DocsOptions {
  readonly prefix: string;
  readonly version: string;
  readonly controllers: readonly Type[];
}

const PAGE = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Airlock API</title>
  <link rel="stylesheet" href="docs/swagger-ui.css">
  <div id="swagger-ui"></div>
  <script src="docs/swagger-ui-bundle.js"></script>
  <script src="docs/start.js"></script>
</html>
`;
const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true });\n`;
/** The page styles its elements inline and embeds its icons. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

const PUBLIC = { config: { isPublic: true } };

/** The document and its page, only with WITH_UI. Nothing of either is loaded before somebody asks. */
export function registerDocs(server: FastifyInstance, { prefix, version, controllers }: DocsOptions): void {
  let document: object | undefined;
  server.get(`${prefix}/openapi.json`, PUBLIC, async () => {
    const { createOpenApi } = await import('./create-openapi.js');
    return (document ??= createOpenApi({ prefix, version, controllers }));
  });
  server.get(`${prefix}/docs`, PUBLIC, (_, reply) => send(reply, 'text/html', PAGE));
  server.get(`${prefix}/docs/start.js`, PUBLIC, (_, reply) => send(reply, 'text/javascript', START));
  server.get(`${prefix}/docs/swagger-ui.css`, PUBLIC, async (_, reply) =>
    send(reply, 'text/css', await readAsset('swagger-ui.css')),
  );
  server.get(`${prefix}/docs/swagger-ui-bundle.js`, PUBLIC, async (_, reply) =>
    send(reply, 'text/javascript', await readAsset('swagger-ui-bundle.js')),
  );
}

function send(reply: FastifyReply, type: string, content: string): FastifyReply {
  return reply.type(`${type}; charset=utf-8`).header('content-security-policy', POLICY).send(content);
}

function readAsset(name: string): Promise<string> {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return readFile(join(folder, name), 'utf8');
}
