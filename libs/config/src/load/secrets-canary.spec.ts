import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { type Inspection, inspectConfig } from './inspect-config.js';
import { ConfigError } from '../values/config-error.js';
import { printVariables, renderVariables } from '../render/print.js';
import { metaOf, variableNames } from '../variables/schema.js';
import { type FolderContent, goodEnvironments, withFolder } from '../testing/index.js';
import { createSecretText } from '../testing/good-environments.js';

/** One per secret whose value has a form. None is part of another or of a word. */
const FORMED = {
  SECRET_KEY: 'cAnArYkEy0a1b2c3d4e5f60718293a4b5c6d7',
  DATABASE_URL: 'cAnArYaPp7f3a91c2',
  DATABASE_MIGRATION_URL: 'cAnArYmIg5d8e20b4',
  DATABASE_ADMIN_URL: 'cAnArYaDm1c6f93e7',
  REDIS_URL: 'cAnArYrEd8b4a05d2',
  SMTP_URL: 'cAnArYsMt6b2f90a7',
  STORAGE_URL: 'cAnArYsTo2c9b47e1',
  BACKUP_URL: 'cAnArYbAk5d1e83f6',
  SENTRY_DSN: 'cAnArYsEn3e7d16c9',
  CONNECTION_KEYS: 'cAnArYcOn4f1e7a92c0b8d36510f2e4a7b9',
  CONNECTION_PROVIDERS: 'cAnArYpRo9d2c5b18e',
  REFRESH_SOURCE_URL: 'cAnArYrSo4e8d01b7f',
  REFRESH_BACKUP_URL: 'cAnArYrBu7c1d94e0b',
  REFRESH_KEY: 'cAnArYrKe2f6a93d5c',
};
const plain = Object.fromEntries(
  variableNames
    .filter((name) => metaOf(name).secret && !(name in FORMED))
    .map((name) => [name, `cAnArY${createSecretText(name)}`]),
);
const CANARIES = { ...plain, ...FORMED };
const url = (name: keyof typeof FORMED, user: string) =>
  `postgres://${user}:${CANARIES[name]}@db.corp.net:5432/airlock?sslmode=verify-full`;
const planted: Record<string, string> = {
  ...goodEnvironments.production,
  ...plain,
  SECRET_KEY: CANARIES.SECRET_KEY,
  DATABASE_URL: url('DATABASE_URL', 'airlock_app'),
  DATABASE_MIGRATION_URL: url('DATABASE_MIGRATION_URL', 'airlock_migrator'),
  DATABASE_ADMIN_URL: url('DATABASE_ADMIN_URL', 'admin'),
  REDIS_URL: `rediss://:${CANARIES.REDIS_URL}@redis.corp.net:6379/0`,
  CONNECTION_KEYS: CANARIES.CONNECTION_KEYS,
  CONNECTION_PROVIDERS: JSON.stringify([
    {
      name: 'acme',
      issuer: 'https://login.corp.net',
      clientId: 'airlock',
      clientSecret: CANARIES.CONNECTION_PROVIDERS,
      scopes: ['openid'],
    },
  ]),
  CALLBACK_URL: 'https://callback.corp.net',
  CONNECTIONS_PAGE: 'https://app.corp.net/connections',
  SMTP_URL: `smtp://airlock:${CANARIES.SMTP_URL}@smtp.corp.net:587`,
  MAIL_FROM: 'no-reply@corp.net',
  STORAGE_URL: `s3://AKIA7EXAMPLE:${CANARIES.STORAGE_URL}@s3.corp.net:443/corp-files?region=eu-central-1`,
  REFRESH_SOURCE_URL: url('REFRESH_SOURCE_URL', 'reader'),
  REFRESH_BACKUP_URL: `s3://AKIA7EXAMPLE:${CANARIES.REFRESH_BACKUP_URL}@s3.corp.net:443/corp-copies`,
  REFRESH_KEY: CANARIES.REFRESH_KEY,
  BACKUP_URL: `s3://AKIA7EXAMPLE:${CANARIES.BACKUP_URL}@s3.corp.net:443/corp-backups`,
  SENTRY_DSN: `https://${CANARIES.SENTRY_DSN}@sentry.corp.net/1`,
};
const secrets = Object.keys(CANARIES);

/** Ways to make a secret invalid, or to put it into a wrong place. */
const spoilings: Record<string, (text: string) => string> = {
  'as it is': (text) => text,
  'cut short': (text) => text.slice(0, -1),
  'with a space behind': (text) => `${text} `,
  'with a space inside': (text) => text.replace('cAnArY', 'cAnArY '),
  'with an @ inside': (text) => `${text}@x`,
  'with a # inside': (text) => `${text}#x`,
  'with a % inside': (text) => text.replace('cAnArY', 'cAnArY%'),
  'with a line end inside': (text) => `${text}\nx`,
  'with a $ behind': (text) => `${text}$x`,
  'with a placeholder behind': (text) => text.replace(/(cAnArY\w+)/, '$1changethis'),
  'with a NUL behind': (text) => `${text}\0`,
  'in another scheme': (text) => `x${text}`,
  twice: (text) => text + text,
};

describe('a secret', () => {
  it('has a canary for each secret of the schema', () => {
    expect(variableNames.filter((name) => metaOf(name).secret).sort()).toEqual([...secrets].sort());
    expect(secrets.filter((name) => !planted[name]?.includes('cAnArY'))).toEqual([]);
  });

  it('is accepted as planted', () => {
    expect(inspectConfig({ env: planted, files: false }).violations).toEqual([]);
  });

  it.each(Object.entries(spoilings))('appears nowhere when it is %s', (_, spoil) => {
    for (const name of secrets) {
      expectNoCanary(inspectConfig({ env: { ...planted, [name]: spoil(planted[name] ?? '') }, files: false }));
    }
  });

  it.each(['production', 'staging', 'preview', 'testing', 'development', 'nowhere'])(
    'appears nowhere when the configuration is checked as %s',
    (environment) => {
      expectNoCanary(inspectConfig({ env: { ...planted, ENVIRONMENT: environment }, files: false }));
    },
  );

  it.each(variableNames.filter((name) => !metaOf(name).secret))('appears nowhere when it is put into %s', (name) => {
    for (const secret of secrets) {
      expectNoCanary(inspectConfig({ env: { ...planted, [name]: planted[secret] }, files: false }), name);
    }
  });

  it.each(secrets)('appears nowhere when %s is the path of a secret file', async (name) => {
    const env = { ...planted, [name]: undefined, [`${name}_FILE`]: planted[name] };
    expectNoCanary(await withFolder({}, (cwd) => inspectConfig({ env, cwd })));
  });

  it.each(secrets)('appears nowhere when %s is the value of a misspelt name', (name) => {
    expectNoCanary(inspectConfig({ env: { ...planted, [`${name}S`]: planted[name] }, files: false }));
  });

  it.each([
    ['a plain line', (name: string, text: string) => `${name}='${text}'\n`],
    ['an open quote', (name: string, text: string) => `${name}='${text}\n`],
    ['no name', (_: string, text: string) => `${text}\n`],
    ['a $', (name: string, text: string) => `${name}=$${text}\n`],
    ['two lines', (name: string, text: string) => `${name}=${text}\n${name}=${text}x\n`],
    ['a name that is a secret', (name: string, text: string) => `${text.replace(/\W/g, '_')}=${name}\n`],
  ])('appears nowhere when it is in a file with %s', async (_, line) => {
    for (const name of secrets) {
      const files: FolderContent = { '.env': `ENVIRONMENT=development\n${line(name, planted[name] ?? '')}` };
      expectNoCanary(
        await withFolder(files, (cwd) =>
          inspectConfig({ env: { DATABASE_URL: goodEnvironments.development.DATABASE_URL }, cwd }),
        ),
      );
    }
  });
});

/** All output: errors, crash output, both forms of print, warnings and a log line. */
function expectNoCanary(inspection: Inspection, where = ''): void {
  const error = new ConfigError(inspection.violations);
  const shown = [
    error.message,
    error.stack,
    inspect(error, { depth: null, showHidden: true }),
    JSON.stringify(inspection.violations),
    inspection.warnings.join(),
    renderVariables(inspection),
    JSON.stringify(printVariables(inspection)),
    inspect(inspection.config, { depth: null, showHidden: true }),
    JSON.stringify(inspection.config),
    logLine({ config: inspection.config, err: error }),
  ].join('\n');
  expect({
    where,
    hasCanary: /cAnArY/i.test(shown) && shown.split('\n').filter((line) => /cAnArY/i.test(line)),
  }).toEqual({ where, hasCanary: false });
}

function logLine(fields: object): string {
  const lines: string[] = [];
  pino({}, { write: (line: string) => lines.push(line) }).error(fields, 'failed');
  return lines.join('');
}
