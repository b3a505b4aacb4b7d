import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { runInContext } from '../context/request-context.js';
import { StartRefusal } from '../failures/start-refusal.js';
import { BODY_LIMIT_BYTES } from '../http/body-parser.js';
import { expectLongBody } from '../http/node-responses.js';
import { Problem } from '../problems/problem.js';
import { cleanFileName } from './attachment.js';
import { type FilePart, FileReading } from './file-reading.js';
import { type FormTexts, readForm } from './form-reader.js';
import { type FileRules, limitBytes, limitMs } from './file-rules.js';
import type { FileStore } from './file-store.js';

export interface FileRoutesOptions {
  readonly store: FileStore;
  /** The time limit of a handler, and of a client that sends nothing. */
  readonly requestTimeoutMs: number;
}

const FORM = /^multipart\/form-data(?:\s*;|$)/i;
/** Of one user in one process: each upload holds a connection, and two parts of 5 MB for a bucket. */
const MOST_PER_USER = 4;
const MOST_AT_ONCE = 32;
/** The largest value of a timer. The interceptor limits the time up to the first byte. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** Receives the bodies of routes that take files: each file goes to the storage while it arrives. */
export class FileRoutes {
  readonly #options: FileRoutesOptions;
  readonly #open = new Map<string, number>();

  /** Install this after authentication, and before the body is invited. */
  constructor(server: FastifyInstance, options: FileRoutesOptions) {
    this.#options = options;
    server.addHook('onRoute', (route) => {
      const { files, sendsFile, isPublic, signature } = route.config ?? {};
      const name = `${[route.method].flat().join(', ')} ${route.url}`;
      if (sendsFile) {
        this.#useStore(name);
        route.handlerTimeout = NO_TIMEOUT_MS;
      }
      if (!files) return;
      if (isPublic || signature) throw new Error(`${name}: takes files of callers without a token; expected a user`);
      if (/GET|HEAD/.test(name)) throw new Error(`${name}: takes files; expected POST or PUT`);
      this.#useStore(name);
      route.bodyLimit = limitBytes(files);
      route.handlerTimeout = limitMs(route.bodyLimit) + options.requestTimeoutMs;
    });
    server.addContentTypeParser(FORM, (request: FastifyRequest, body: Readable) => this.#receive(request, body));
    server.addHook('onRequest', (request, reply, done) => {
      try {
        if (request.routeOptions.config.files) this.#admit(request, reply);
        done();
      } catch (error) {
        done(error as Error);
      }
    });
  }

  /** @throws StartRefusal without a storage */
  #useStore(route: string): void {
    const { store } = this.#options;
    if (!store.hasStorage) {
      const problem = `${route}: has files, but STORAGE_URL is not set; expected a folder or a bucket`;
      throw new StartRefusal(
        `${problem}\n  set STORAGE_URL, and let the deployed environments require it: docs/uploads.md`,
      );
    }
    store.use();
  }

  /** @throws Problem before the body is read */
  #admit(request: FastifyRequest, reply: FastifyReply): void {
    const { headers, context, raw } = request;
    if (!FORM.test(headers['content-type'] ?? '')) {
      const detail = 'The body must be multipart/form-data.';
      throw new Problem('unsupported-media-type', { detail, headers: { accept: 'multipart/form-data' } });
    }
    const release = this.#take(context.userId ?? '');
    const forget = expectLongBody(raw);
    context.files = {};
    reply.raw.once('close', () => {
      release();
      forget();
      const keys = Object.values(context.files ?? {}).map(({ key }) => key);
      const isDone = reply.statusCode < 400 && keys.every((key) => context.keptFiles.has(key));
      if (!isDone && keys.length > 0) runInContext(context, () => void this.#options.store.discard(keys));
    });
  }

  async #receive(request: FastifyRequest, body: Readable): Promise<FormTexts> {
    const { headers, routeOptions } = request;
    const { files } = routeOptions.config;
    if (!files) throw new Problem('unsupported-media-type');
    const { requestTimeoutMs: idleMs } = this.#options;
    const { controller, stop } = watch(body, { idleMs, longestMs: limitMs(routeOptions.bodyLimit) });
    try {
      return await readForm(body, {
        headers,
        fileNames: Object.keys(files),
        maxBytes: routeOptions.bodyLimit,
        signal: controller.signal,
        onFile: (name, file, fileName) =>
          this.#store(request, { name, file, fileName, rule: files[name]!, signal: controller.signal }),
      });
    } catch (error) {
      if (Number(headers['content-length']) <= BODY_LIMIT_BYTES) await drain(body, controller.signal);
      controller.abort(error);
      throw error;
    } finally {
      stop();
    }
  }

  async #store({ context, routeOptions }: FastifyRequest, part: FilePart): Promise<void> {
    const { name, fileName, signal } = part;
    const reading = new FileReading(part);
    const mediaType = await reading.begin();
    if (mediaType === undefined) return;
    const key = await this.#options.store.put({
      ownerId: context.userId ?? '',
      mediaType,
      bytes: reading.content(),
      signal,
      forMs: (routeOptions.handlerTimeout ?? 0) + 60_000,
    });
    context.files![name] = { key, name: cleanFileName(fileName), mediaType, ...reading.result() };
  }

  #take(userId: string): () => void {
    const count = this.#open.get(userId) ?? 0;
    const all = [...this.#open.values()].reduce((sum, one) => sum + one, 0);
    if (count >= MOST_PER_USER) {
      const detail = `No more than ${MOST_PER_USER} uploads may run at once.`;
      throw new Problem('rate-limited', { detail, headers: { 'retry-after': '5' } });
    }
    if (all >= MOST_AT_ONCE) throw new Problem('overloaded', { headers: { 'retry-after': '5' } });
    this.#open.set(userId, count + 1);
    return () => {
      const left = (this.#open.get(userId) ?? 0) - 1;
      if (left > 0) this.#open.set(userId, left);
      else this.#open.delete(userId);
    };
  }
}

/** Waits for the rest of a small body that is refused: some clients read no response while they send. */
async function drain(body: Readable, signal: AbortSignal): Promise<void> {
  if (body.readableEnded || body.destroyed || signal.aborted) return;
  await new Promise<void>((resolve) => {
    body.once('end', resolve).once('close', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Ends the reading of a body that stops, or that takes too long. */
function watch(body: Readable, { idleMs, longestMs }: { idleMs: number; longestMs: number }) {
  const controller = new AbortController();
  const end = () => controller.abort(new Problem('incomplete-request', { headers: { connection: 'close' } }));
  const idle = setTimeout(end, idleMs);
  const longest = setTimeout(end, longestMs);
  const refresh = () => void idle.refresh();
  body.on('data', refresh);
  return {
    controller,
    stop: () => {
      body.off('data', refresh);
      clearTimeout(idle);
      clearTimeout(longest);
    },
  };
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The files in the body. */
    readonly files?: FileRules;
    /** Responds with a file. */
    readonly sendsFile?: boolean;
  }
}
