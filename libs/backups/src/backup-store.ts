import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { StampedBackend } from '@airlock/storage';
import { BackupError, refuse } from './problems/backup-error.js';
import { isBackupName, type BackupManifest, manifestSchema } from './manifest.js';

type Part = 'dump' | 'manifest.json' | 'started.json';

/** The backups of an environment in its storage: `environment/name/dump`, and `manifest.json` beside it. */
export class BackupStore {
  readonly #storage: StampedBackend;
  readonly #environment: string;

  constructor(storage: StampedBackend, environment: string) {
    this.#storage = storage;
    this.#environment = environment;
  }

  get description(): string {
    return this.#storage.description;
  }

  /** Reserves the name; `sweep` removes what follows unless `finish` is called. */
  async start(name: string): Promise<void> {
    await this.#storage.create(this.#pathOf(name, 'started.json'), Buffer.from('{}\n'));
  }

  async putDump(name: string, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    await this.#storage.put(this.#pathOf(name, 'dump'), content, signal && { signal });
  }

  /** From here on it is a backup. @throws BackupError dump-failed if the stored size is another one */
  async finish(manifest: BackupManifest): Promise<void> {
    const { name, bytes } = manifest;
    const stored = await this.#sizeOf(name);
    if (stored !== bytes)
      throw new BackupError('dump-failed', `${name}: the storage has ${stored ?? 'no'} bytes; expected ${bytes}`);
    await this.#storage.put(this.#pathOf(name, 'manifest.json'), one(Buffer.from(JSON.stringify(manifest, null, 1))));
    await this.#storage.delete(this.#pathOf(name, 'started.json'));
  }

  /** Names of backups, the newest first. */
  async list(): Promise<string[]> {
    return this.#names('manifest.json');
  }

  /** @throws BackupError no-backup or damaged-manifest */
  async load(name: string): Promise<BackupManifest> {
    if (!isBackupName(name) || !(await this.list()).includes(name)) {
      const fix = 'airlock db backups   # lists them';
      throw refuse(
        'no-backup',
        `"${name}": is not a backup in ${this.description}; expected one of its list\n  ${fix}`,
      );
    }
    const content = await text(await this.#storage.get(this.#pathOf(name, 'manifest.json')));
    const manifest = parse(content);
    if (manifest?.name !== name)
      throw new BackupError(
        'damaged-manifest',
        `${name}: its manifest is not the text that was stored; expected whole JSON`,
      );
    if (manifest.environment === this.#environment) return manifest;
    throw refuse(
      'other-environment',
      `${name}: is a backup of ${manifest.environment}; expected one of ${this.#environment}`,
    );
  }

  /** @throws BackupError no-backup if there is none at all */
  async loadNewest(): Promise<BackupManifest> {
    const [newest] = await this.list();
    if (newest !== undefined) return this.load(newest);
    throw refuse('no-backup', `${this.description}: has no backup; expected at least one\n  airlock db backup`);
  }

  /** The newest backup whose manifest can be read: a damaged one must not prevent the next backup. */
  async findReadable(): Promise<BackupManifest | undefined> {
    for (const name of await this.list()) {
      const manifest = await this.load(name).catch(ignoreDamage);
      if (manifest) return manifest;
    }
    return undefined;
  }

  openDump(name: string): Promise<Readable> {
    return this.#storage.get(this.#pathOf(name, 'dump'));
  }

  /** The manifest first: a backup that is removed half-way is no longer listed. */
  async remove(name: string): Promise<void> {
    for (const part of ['manifest.json', 'dump', 'started.json'] as const)
      await this.#storage.delete(this.#pathOf(name, part));
  }

  /** Removes what killed backups left. Only for the process that holds the lock of backups. */
  async sweep(): Promise<void> {
    const whole = new Set(await this.list());
    for (const name of await this.#names('started.json'))
      if (whole.has(name)) await this.#storage.delete(this.#pathOf(name, 'started.json'));
      else await this.remove(name);
  }

  async #names(part: Part): Promise<string[]> {
    const names: string[] = [];
    for await (const { name: path } of this.#storage.list(`${this.#environment}/`)) {
      const [, name = '', found] = path.split('/');
      if (found === part && isBackupName(name)) names.push(name);
    }
    return names.sort().reverse();
  }

  async #sizeOf(name: string): Promise<number | undefined> {
    for await (const { name: path, bytes } of this.#storage.list(this.#pathOf(name, 'dump')))
      if (path === this.#pathOf(name, 'dump')) return bytes;
    return undefined;
  }

  #pathOf(name: string, part: Part): string {
    return `${this.#environment}/${name}/${part}`;
  }
}

export function ignoreDamage(error: unknown): undefined {
  if (error instanceof BackupError && error.problem === 'damaged-manifest') return undefined;
  throw error;
}

function parse(content: string): BackupManifest | undefined {
  try {
    return manifestSchema.parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
  await Promise.resolve();
}
