import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Environment, ENVIRONMENTS, Secret } from '@airlock/config';
import { Keyring } from '@airlock/provider-connections/testing';
import { Etags } from '@airlock/service';
import { CursorCodec, PARTY, TestIssuer, TokenVerifier } from '@airlock/service/testing';
import { openStorage } from '@airlock/storage';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

/** Something that one process makes and gives away, and that is later given back to a process. */
interface Mint {
  readonly source: string;
  readonly make: (environment: Environment) => Promise<string> | string;
  readonly accepts: (environment: Environment, made: string) => Promise<boolean> | boolean;
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
/** The worst case: a team has copied every secret from one environment to the others. */
const SECRET = new Secret('the-same-secret-in-all-environments-0000');
const POSITION = { value: 'Kettle', id: '0195f3a0-0000-7000-8000-000000000000' };
const PLACE = ['tokens', 'user_1', 'acme'] as const;

let issuer: TestIssuer;
let folder: string;
beforeAll(async () => {
  issuer = await TestIssuer.start();
  folder = mkdtempSync(join(tmpdir(), 'airlock-mints-'));
});
afterAll(async () => {
  await issuer.stop();
  rmSync(folder, { recursive: true, force: true });
});

const storageOf = (environment: Environment) =>
  openStorage(
    { kind: 'folder', path: join(folder, environment) },
    { environment, httpClient: { timeoutMs: 1_000, maxRetries: 0 } },
  );
const works = (work: () => unknown): boolean => {
  try {
    return work() !== undefined;
  } catch {
    return false;
  }
};

const MINTS: Readonly<Record<string, Mint>> = {
  'a token of the local issuer': {
    source: 'apps/cli/src/local-issuer/local-issuer.ts',
    make: (environment) => issuer.sign({ iss: `${issuer.url}/${environment}` }),
    accepts: (environment, made) => {
      const keys = { loadKeys: () => Promise.resolve({ keys: issuer.keys }) };
      const rules = { issuer: `${issuer.url}/${environment}`, parties: [PARTY], rolesClaim: 'roles', ...keys };
      return new TokenVerifier(rules).verify(made).then(
        () => true,
        () => false,
      );
    },
  },
  'a cursor': {
    source: 'libs/service/src/data/cursor.ts',
    make: (environment) => new CursorCodec(SECRET, environment).encode(POSITION, 'list'),
    accepts: (environment, made) => works(() => new CursorCodec(SECRET, environment).decode(made, 'list')),
  },
  'a cursor of a local environment': {
    source: 'libs/service/src/data/cursor.ts',
    make: (environment) => new CursorCodec(undefined, environment).encode(POSITION, 'list'),
    accepts: (environment, made) => works(() => new CursorCodec(undefined, environment).decode(made, 'list')),
  },
  'an ETag': {
    source: 'libs/service/src/http/etags.ts',
    make: (environment) => new Etags(environment).create(3),
    accepts: (environment, made) => {
      const etags = new Etags(environment);
      return etags.isKnown(made, 3) || etags.parseIfMatch(made)?.includes(3) === true;
    },
  },
  'a state of a provider, and a token at rest': {
    source: 'libs/provider-connections/src/keyring.ts',
    make: (environment) => new Keyring(SECRET, environment).seal({ state: 1 }, PLACE),
    accepts: (environment, made) => new Keyring(SECRET, environment).open(made, PLACE) !== undefined,
  },
  'the key of a file': {
    source: 'libs/storage/src/environment-storage.ts',
    make: async (environment) => {
      const storage = await storageOf(environment);
      const key = storage.createKey('user_1');
      await storage.put(key, Readable.from([Buffer.from('content')]));
      return key;
    },
    accepts: async (environment, made) => {
      const storage = await storageOf(environment);
      // The object itself is there, as in a copy of the whole storage.
      const [from = ''] = made.split('/');
      if (from !== environment)
        cpSync(join(folder, from), join(folder, environment), {
          recursive: true,
          filter: (path) => !path.endsWith('airlock-environment.json'),
        });
      return storage.get(made).then(
        (content) => Boolean(content.destroy()),
        () => false,
      );
    },
  },
};

/** Sources that use the same functions, and what they make: no process of another environment is given it. */
const OTHERS: Readonly<Record<string, string>> = {
  'libs/backups/src/cluster/with-server.ts': 'the password of a server that only its process can reach',
  'libs/backups/src/create-backup.ts': 'names of backups, in the stamped storage of the environment: backups.spec.ts',
  'libs/backups/src/restored-database.ts': 'names of throw-away databases',
  'libs/backups/src/tools/streams.ts': 'the checksum of a backup',
  'libs/config/src/sources/set-up-env-file.ts': 'passwords of a laptop, in .env',
  'libs/database/src/adopt/prove.ts': 'names of throw-away databases',
  'libs/database/src/migrate/migrations-hash.ts': 'compares migrations',
  'libs/database/src/model/backfill.ts': 'compares backfills',
  'libs/database/src/model/migration.ts': 'compares migrations',
  'libs/database/src/provision/scram.ts': 'the verifier of a password, for PostgreSQL',
  'libs/database/src/refresh/masks/keyed-hash.ts': 'pseudonyms of a copy, which prove nothing',
  'libs/database/src/seed/hashed-values.ts': 'sample rows',
  'libs/provider-connections/src/attempts.ts': 'random parts inside of a sealed state',
  'libs/service/src/cache/cache-generation.ts': 'a generation in the stamped database',
  'libs/service/src/cache/read-cache.ts': 'keys in Redis that begin with the environment: read-cache.spec.ts',
  'libs/service/src/context/identifiers.ts': 'ids for logs and traces, which permit nothing',
  'libs/service/src/data/owner-query.ts': 'names of prepared statements of one session',
  'libs/service/src/data/transaction.ts': 'a mark of one transaction',
  'libs/service/src/files/file-reading.ts': 'the checksum of a file',
  'libs/service/src/files/files.ts': 'the checksum of a file',
  'libs/service/src/http/rate-limits.ts': 'keys in Redis that begin with the environment',
  'libs/service/src/jobs/envelope.ts': 'ids of jobs in the stamped database: worker.spec.ts',
  'libs/service/src/mail/mailer.ts': 'the Message-ID of a mail',
  'libs/service/src/signatures/signature-check.ts': 'compares what the sender of a webhook has signed',
  'libs/service/src/telemetry/otlp-spans.ts': 'ids for traces',
};

const CRYPTOGRAPHY =
  /\b(createHmac|createHash|createCipheriv|createSign|generateKey\w*|hkdf\w*|randomBytes|randomUUID|SignJWT)\b/;
/** Not part of a system that serves: tools of developers, deploys and tests. */
const TOOLS =
  /\.(spec|fixture|suite)\.ts$|\/(testing|suite)\/|^libs\/(database-dev|embedded-postgres|deploy|authoring)\/|^apps\/smoke\//;

describe.each(Object.entries(MINTS))('%s', (_, { make, accepts }) => {
  it.each(ENVIRONMENTS)('of %s is accepted there, and nowhere else', async (from) => {
    const made = await make(from);
    const verdicts = await Promise.all(ENVIRONMENTS.map(async (to) => [to, await accepts(to, made)]));
    expect(Object.fromEntries(verdicts)).toEqual(Object.fromEntries(ENVIRONMENTS.map((to) => [to, to === from])));
  });
});

describe('the sources', () => {
  it('make nothing that is in no list above', async () => {
    const found: string[] = [];
    for await (const path of glob('{apps,libs}/*/src/**/*.ts', { cwd: ROOT }))
      if (!TOOLS.test(path) && CRYPTOGRAPHY.test(readFileSync(join(ROOT, path), 'utf8'))) found.push(path);
    const listed = new Set([...Object.values(MINTS).map(({ source }) => source), ...Object.keys(OTHERS)]);
    expect(found.filter((path) => !listed.has(path))).toEqual([]);
    // An ETag needs no cryptography.
    expect([...listed].filter((path) => !found.includes(path))).toEqual(['libs/service/src/http/etags.ts']);
  });
});
