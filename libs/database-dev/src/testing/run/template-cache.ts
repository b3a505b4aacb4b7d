import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Secret } from '@airlock/config';
import { withClient, createSessionConfig, migrationsHash, readBootstrapSql } from '@airlock/database/internal';
import {
  CACHE_FOLDER,
  copyFolder,
  createOwnedFolder,
  keepOwnedFolder,
  nameOwnedFolder,
  readDataFolderRules,
  readServerVersion,
  startCluster,
  sweepOwnedFolders,
} from '@airlock/embedded-postgres';
import { REGISTRY_SQL } from '../clones/clone-registry.js';
import { nameTemplate } from '../clones/database-name.js';
import { buildTemplate, type TemplateModel } from '../clones/template.js';

const LOGINS_FILE = 'airlock-test-logins.json';
const KEPT_TEMPLATES = 3;

const FOLDER = join(CACHE_FOLDER, 'templates');

export interface TemplateCache {
  readonly model: TemplateModel;
  /** The folder of the cache; tests of this module use another one. */
  readonly folder?: string;
}

export interface Logins {
  app: { user: string; password: string };
  migrator: { user: string; password: string };
}

/** The inputs of a template. Any change of them changes the name, so an old template is not found. */
export function hashTemplate(model: TemplateModel): string {
  const hash = createHash('sha256').update(migrationsHash(model));
  hash.update(readDataFolderRules()).update(readBootstrapSql());
  hash.update(readFileSync(new URL('../clones/template.ts', import.meta.url)));
  return hash.digest('hex');
}

/** A stopped data folder with the template, created when it is not cached. Copy it; never start it in place. */
export async function ensureCachedFolder(
  storageFolder: string,
  { model, folder = FOLDER }: TemplateCache,
): Promise<string> {
  const parts = [hashTemplate(model), readServerVersion(), process.getuid?.()];
  const cached = join(folder, createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 16));
  mkdirSync(folder, { recursive: true });
  if (!existsSync(cached)) await buildCachedFolder(cached, { storageFolder, model });
  utimesSync(cached, new Date(), new Date());
  removeOldTemplates(folder);
  return cached;
}

export function readLogins(dataDir: string): Logins {
  return JSON.parse(readFileSync(join(dataDir, LOGINS_FILE), 'utf8')) as Logins;
}

async function buildCachedFolder(
  cached: string,
  { storageFolder, model }: { storageFolder: string; model: TemplateModel },
): Promise<void> {
  const folder = dirname(cached);
  await sweepOwnedFolders(folder);
  const dataDir = join(storageFolder, nameOwnedFolder('template'));
  const unfinished = createOwnedFolder(folder, 'unfinished');
  try {
    await buildDataFolder(dataDir, model);
    await copyFolder(dataDir, unfinished);
    keepOwnedFolder(unfinished);
    renameSync(unfinished, cached);
  } catch (error) {
    // Another run may have been faster: rename() refuses a folder that is not empty.
    if (!existsSync(cached)) throw error;
  } finally {
    for (const path of [dataDir, unfinished]) rmSync(path, { recursive: true, force: true });
  }
}

async function buildDataFolder(dataDir: string, model: TemplateModel): Promise<void> {
  const cluster = await startCluster({ dataDir, durable: false, keepFolder: true });
  try {
    const logins = createLogins();
    const { superuser: admin } = cluster;
    const [app, migration] = [logins.app, logins.migrator].map(({ user, password }) => ({
      ...admin,
      user,
      password: new Secret(password),
    }));
    if (!app || !migration) return;
    await buildTemplate({ ...model, name: nameTemplate(hashTemplate(model)), admin, app, migration });
    const context = { config: createSessionConfig('testing'), purpose: 'template' };
    await withClient(admin, context, (client) => client.query(REGISTRY_SQL));
    writeFileSync(join(dataDir, LOGINS_FILE), JSON.stringify(logins), { mode: 0o600 });
  } finally {
    await cluster.stop();
  }
}

function createLogins(): Logins {
  const createLogin = (user: string) => ({ user, password: randomBytes(24).toString('hex') });
  return { app: createLogin('airlock_test_app'), migrator: createLogin('airlock_test_migrator') };
}

/** Branches change often; the templates of a few are kept. */
function removeOldTemplates(folder: string): void {
  const templates = readdirSync(folder).filter((name) => /^[0-9a-f]{16}$/.test(name));
  const byAge = templates.map((name) => join(folder, name)).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const old of byAge.slice(KEPT_TEMPLATES)) rmSync(old, { recursive: true, force: true });
}
