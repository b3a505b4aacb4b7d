import { chmodSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { inspectConfig } from '../load/inspect-config.js';
import { loadConfig } from '../load/load-config.js';
import type { EnvironmentVariables } from '../values/environment-variables.js';
import type { VariableName } from '../variables/schema.js';
import { certificate } from '../testing/certificate.js';
import { FOLDER, type FolderContent, goodEnvironments, withFolder } from '../testing/index.js';

const { development, testing, production } = goodEnvironments;
const file = (...lines: string[]) => `${lines.join('\n')}\n`;
const devFile = file('ENVIRONMENT=development', `DATABASE_URL=${development.DATABASE_URL}`, 'PORT=8001');

describe('loadConfig', () => {
  it('takes the environment from .env only in development, and reports the file', async () => {
    const config = await load({}, { '.env': devFile });
    expect(config).toMatchObject({ environment: 'development', file: '.env', service: { port: 8001 } });
  });

  it('reads .env.development instead of .env, not both', async () => {
    const own = file(`DATABASE_URL=${development.DATABASE_URL}`, 'LOG_LEVEL=warn');
    const config = await load({ ENVIRONMENT: 'development' }, { '.env': devFile, '.env.development': own });
    expect(config).toMatchObject({ file: '.env.development', log: { level: 'warn' }, service: { port: 8000 } });
  });

  it('reads .env.testing in testing, even next to a .env of development', async () => {
    const own = file(`DATABASE_URL=${testing.DATABASE_URL}`);
    const config = await load({ ENVIRONMENT: 'testing' }, { '.env': devFile, '.env.testing': own });
    expect(config).toMatchObject({ environment: 'testing', testing: true, file: '.env.testing' });
  });

  it('reads a .env of testing in testing', async () => {
    const own = file('ENVIRONMENT=testing', `DATABASE_URL=${testing.DATABASE_URL}`);
    expect((await load({ ENVIRONMENT: 'testing' }, { '.env': own })).file).toBe('.env');
  });

  it('requires no file if the process environment is complete', async () => {
    expect((await load(testing, {})).file).toBeUndefined();
  });

  it('reads no file if the caller disables files', async () => {
    const config = await withFolder({ '.env': devFile }, (cwd) => loadConfig({ env: testing, cwd, files: false }));
    expect(config.file).toBeUndefined();
  });

  it('overrides the file by the process environment for ordinary variables', async () => {
    expect((await load({ PORT: '9001' }, { '.env': devFile })).service.port).toBe(9001);
  });

  it('accepts a location from two sources with the same value', async () => {
    expect((await load(development, { '.env': devFile })).database.app.database).toBe('airlock_development');
  });

  it.each([
    ['without a line end', 'postgres://a:b@127.0.0.1:5433/airlock_test'],
    ['with a line end', 'postgres://a:b@127.0.0.1:5433/airlock_test\n'],
    ['with a CRLF line end', 'postgres://a:b@127.0.0.1:5433/airlock_test\r\n'],
    ['with a byte order mark', '\uFEFFpostgres://a:b@127.0.0.1:5433/airlock_test'],
  ])('reads a secret file %s', async (_, content) => {
    const config = await load({ ENVIRONMENT: 'testing', DATABASE_URL_FILE: 'url' }, { url: content });
    expect(config.database.app.database).toBe('airlock_test');
  });

  it('reads a secret file that a mounted volume links to', async () => {
    const config = await load(
      { ...production, SECRET_KEY: undefined, SECRET_KEY_FILE: 'key' },
      { key: { linkTo: 'data' }, data: `${production.SECRET_KEY}\n` },
    );
    expect(config.secretKey?.reveal()).toBe(production.SECRET_KEY);
  });

  it('reads a bundle of 300 certificates with text around them, and keeps only the certificates', async () => {
    const bundle = Array.from(
      { length: 300 },
      (_, index) => `Region ${index}\r\n${certificate.replaceAll('\n', '\r\n')}`,
    );
    const config = await load({ ...production, DATABASE_SSL_CA_FILE: 'ca.pem' }, { 'ca.pem': bundle.join('') });
    expect(config.database.sslCa).toBe(certificate.repeat(300));
  });

  it.each([
    ['1 MiB of certificates', 'DATABASE_SSL_CA_FILE', 1_048_576],
    ['64 KiB of a secret', 'SECRET_KEY_FILE', 65_536],
  ])('reads no more than %s', async (_, name, limit) => {
    const env = {
      ...production,
      SECRET_KEY: name === 'SECRET_KEY_FILE' ? undefined : production.SECRET_KEY,
      [name]: 'big',
    };
    await expect(load(env, { big: 'x'.repeat(limit + 1) })).rejects.toThrow(
      `${name}: names a file of ${limit + 1} bytes; expected a readable text file of at most ${limit} bytes`,
    );
  });

  it('accepts other variables that platforms set', async () => {
    const env = {
      ...production,
      NODE_OPTIONS:
        '--max-old-space-size-percentage=75 --enable-source-maps --trace-warnings --max_semi_space_size=64 ""',
      NODE_EXTRA_CA_CERTS: 'ca.pem',
      NODE_DEBUG: 'airlock',
      NODE_TLS_REJECT_UNAUTHORIZED: '1',
      SSLKEYLOGFILE: '',
      PGHOST: 'x',
    };
    expect((await load(env, { 'ca.pem': `text\n${certificate}` })).environment).toBe('production');
  });

  it('accepts folders and examples called .env in production', async () => {
    const config = await load(production, { '.env': FOLDER, '.env.example': '', env: '', 'production.env': '' });
    expect(config.environment).toBe('production');
  });

  it('reads CRLF, a byte order mark and quotes in a file', async () => {
    const content = `\uFEFFENVIRONMENT=development\r\nDATABASE_URL='${development.DATABASE_URL}'\r\nSECRET_KEY='a$b"c'\r\n`;
    expect((await load({}, { '.env': content })).secretKey?.reveal()).toBe('a$b"c');
  });
});

describe('inspectConfig', () => {
  it.each([
    ['PORT', { kind: 'file', path: '.env' }],
    ['LOG_LEVEL', { kind: 'environment' }],
    ['SECRET_KEY', { kind: 'secret file', path: 'key' }],
    ['WORKERS', undefined],
  ] as const)('knows where %s comes from', async (name: VariableName, source) => {
    const env = { LOG_LEVEL: 'warn', SECRET_KEY_FILE: 'key' };
    const { texts } = await withFolder({ '.env': devFile, key: 'x' }, (cwd) => inspectConfig({ env, cwd }));
    expect(texts.get(name)?.source).toEqual(source);
  });

  it('warns about a file that other users can read', async () => {
    const { warnings, config } = await withFolder({ '.env': devFile }, (cwd) => {
      chmodSync(`${cwd}/.env`, 0o644);
      return inspectConfig({ env: {}, cwd });
    });
    expect(warnings).toEqual(['.env: other users of this machine can read it; chmod 600 .env']);
    expect(config).toBeDefined();
  });

  it('handles names of properties that every object has', () => {
    const env = Object.fromEntries([...Object.entries(testing), ['__proto__', 'x'], ['constructor', 'y']]);
    expect(inspectConfig({ env, files: false }).violations).toEqual([]);
  });
});

function load(env: EnvironmentVariables, files: FolderContent) {
  return withFolder(files, (cwd) => loadConfig({ env, cwd }));
}
