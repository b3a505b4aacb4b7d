import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OpenApiOptions } from './create-openapi.js';

/** Embedded in the page, which avoids another address. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3' fill='%23246'/%3E%3Cpath d='M4 12 8 3l4 9M5.5 9h5' fill='none' stroke='%23fff' stroke-width='1.6'/%3E%3C/svg%3E";
const renderPage = (title: string) => `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title}</title>
  <link rel="icon" href="${ICON}">
  <link rel="stylesheet" href="docs/swagger-ui.css">
  <link rel="stylesheet" href="docs/page.css">
  <script src="docs/theme.js"></script>
  <div id="swagger-ui"></div>
  <script src="docs/swagger-ui-bundle.js"></script>
  <script src="docs/start.js"></script>
</html>
`;
/** Swagger UI has dark colours, but the page must switch to them. */
const THEME = `const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();
`;
const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true });\n`;
/** On a phone, wide tables scroll and long paths wrap, so that the page fits the screen. */
const STYLE = `body { margin: 0; }
@media (max-width: 640px) {
  .swagger-ui .wrapper { padding: 0 8px; }
  .swagger-ui .opblock .opblock-summary-path { max-width: none; word-break: break-word; }
  .swagger-ui .opblock .opblock-summary-description { display: none; }
  .swagger-ui .responses-table, .swagger-ui .parameters { display: block; overflow-x: auto; }
}
`;
/** Swagger UI uses inline styles and embedded icons. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";
const PUBLIC = { config: { isPublic: true } };
const compress = promisify(gzip);

/** Serves the document and its page, only with WITH_UI. Both are loaded at the first request. */
export function registerDocs(server: FastifyInstance, options: OpenApiOptions): void {
  const { title, prefix } = options;
  const add = (path: string, type: string, load: () => Promise<string>) => {
    let loading: Promise<Variants> | undefined;
    server.get(`${prefix}/${path}`, PUBLIC, async (request, reply) => {
      const variants = await (loading ??= load().then(createVariants));
      return send(request, reply.type(`${type}; charset=utf-8`), variants);
    });
  };
  add('openapi.json', 'application/json', async () => {
    const { createOpenApi } = await import('./create-openapi.js');
    return JSON.stringify(createOpenApi(options));
  });
  add('docs', 'text/html', () => Promise.resolve(renderPage(title)));
  add('docs/theme.js', 'text/javascript', () => Promise.resolve(THEME));
  add('docs/start.js', 'text/javascript', () => Promise.resolve(START));
  add('docs/page.css', 'text/css', () => Promise.resolve(STYLE));
  add('docs/swagger-ui.css', 'text/css', () => readAsset('swagger-ui.css'));
  add('docs/swagger-ui-bundle.js', 'text/javascript', () => readAsset('swagger-ui-bundle.js'));
}

interface Variants {
  readonly plain: Buffer;
  readonly gzipped: Buffer;
}

/** Compresses once, because the script alone is 1.6 MB. */
async function createVariants(text: string): Promise<Variants> {
  const plain = Buffer.from(text);
  return { plain, gzipped: await compress(plain) };
}

function send({ headers }: FastifyRequest, reply: FastifyReply, { plain, gzipped }: Variants): FastifyReply {
  reply.header('content-security-policy', POLICY).header('vary', 'accept-encoding');
  if (!acceptsGzip(headers['accept-encoding'])) return reply.send(plain);
  return reply.header('content-encoding', 'gzip').send(gzipped);
}

/** A weight of 0 means "not acceptable" (RFC 9110, 12.5.3). */
function acceptsGzip(accepted: string | string[] | undefined): boolean {
  const codings = String(accepted ?? '').split(',');
  const [, weight = '1'] = codings
    .map((coding) => /^\s*(?:gzip|x-gzip|\*)\s*(?:;\s*q=([\d.]+))?\s*$/i.exec(coding))
    .find((match) => match) ?? ['', '0'];
  return Number(weight) > 0;
}

function readAsset(name: string): Promise<string> {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return readFile(join(folder, name), 'utf8');
}
