import { text } from 'node:stream/consumers';
import type { Writable } from 'node:stream';
import { BackupError } from '../problems/backup-error.js';
import type { Bytes } from './streams.js';
import { type RunningTool, startTool } from './start-tool.js';

/** Entries of a dump by which a server connects to others. */
const FOREIGN =
  /^\d+; \d+ \d+ (FOREIGN DATA WRAPPER|SERVER|USER MAPPING|FOREIGN TABLE|SUBSCRIPTION|EXTENSION - (?:dblink|\w+_fdw)) /gm;

/** Reads the table of contents of a dump that passes through: which tables have data in it. */
export class TableList {
  readonly #tool: RunningTool;
  readonly #text: Promise<string>;

  constructor(folder: string | undefined) {
    this.#tool = startTool('pg_restore', ['--list'], { folder });
    this.#text = text(this.#tool.output);
  }

  async *through(source: Bytes): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of source) {
        await write(this.#tool.input, chunk);
        yield chunk;
      }
    } finally {
      this.#tool.input.end();
    }
  }

  /**
   * After the last byte.
   *
   * @param tables as `regclass` shows them
   * @throws BackupError incomplete-dump unless each of the tables is in it
   */
  async assertHas(tables: readonly string[]): Promise<void> {
    const list = await this.#read();
    const found = new Set(
      [...list.matchAll(/^\d+; \d+ \d+ (?:TABLE|MATERIALIZED VIEW) DATA (.+) \S+$/gm)].map(([, name = '']) => name),
    );
    const missing = tables.filter((table) => !found.has(toListed(table)));
    if (missing.length === 0) return;
    const text = `the dump has no data of ${missing.slice(0, 5).join(', ')} (${missing.length} tables); expected every table`;
    throw new BackupError('incomplete-dump', text);
  }

  /** After the last byte. @throws BackupError foreign-server if restoring or reading could reach another server */
  async assertSealed(name: string): Promise<void> {
    const found = [...(await this.#read()).matchAll(FOREIGN)].map(([, kind = '']) => kind.toLowerCase());
    if (found.length === 0) return;
    throw new BackupError(
      'foreign-server',
      `${name}: holds ${[...new Set(found)].join(', ')}; expected nothing that could reach another server\n` +
        '  restore it into its own server, and set REFRESH_SOURCE_URL to that',
    );
  }

  /** After the last byte: the entries for `--use-list` that a role without rights on the server may restore. */
  async listPlain(): Promise<string> {
    return (await this.#read()).replaceAll(/^\d+; \d+ \d+ EVENT TRIGGER .*\n/gm, '');
  }

  async #read(): Promise<string> {
    const [list] = await Promise.all([this.#text, this.#tool.ended]).catch((cause: unknown) => {
      throw new BackupError('incomplete-dump', 'pg_restore --list: cannot read the dump', { cause });
    });
    return list;
  }

  stop(): void {
    this.#tool.stop();
  }
}

/** The tool ends when it has read the table of contents, long before the last byte. */
async function write(input: Writable, chunk: Uint8Array): Promise<void> {
  if (!input.writable || input.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const settle = () => {
      input.off('drain', settle).off('close', settle);
      resolve();
    };
    input.on('drain', settle).on('close', settle);
  });
}

/** `"My schema".parcels` is listed as `My schema parcels`, with each line break as a space. */
function toListed(table: string): string {
  const names = [...table.matchAll(/"((?:[^"]|"")+)"|([^".]+)/g)];
  return names
    .map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare)
    .join(' ')
    .replaceAll(/[\n\r]/g, ' ');
}
