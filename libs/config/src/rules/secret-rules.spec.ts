import { describe, expect, it } from '@jest/globals';
import { inspectConfig } from '../load/inspect-config.js';
import { goodEnvironments } from '../testing/index.js';
import { databaseVariables, metaOf, storageVariables, type VariableName, variableNames } from '../variables/schema.js';

const secrets = variableNames.filter((name) => metaOf(name).secret && name !== 'SENTRY_DSN');
const SERVER = 'db.corp.net:5432/airlock?sslmode=verify-full';

/** The problems of a production configuration with these values besides. */
function judge(values: Partial<Record<VariableName, string>>): string[] {
  const { violations } = inspectConfig({ env: { ...goodEnvironments.production, ...values }, files: false });
  return violations.map(({ name, problem }) => `${name}: ${problem}`);
}

function write(name: VariableName, secret: string): string {
  if (databaseVariables.some((one) => one === name)) return `postgres://airlock_app:${secret}@${SERVER}`;
  if (name === 'CONNECTION_PROVIDERS') {
    const provider = { name: 'acme', issuer: 'https://login.acme.com', clientId: 'airlock', scopes: ['openid'] };
    return JSON.stringify([{ ...provider, clientSecret: secret }]);
  }
  if (name === 'SMTP_URL') return `smtp://airlock:${secret}@smtp.corp.net:587`;
  if (storageVariables.some((one) => one === name)) return `s3://key:${secret}@s3.corp.net:443/corp-files`;
  return name === 'REDIS_URL' ? `rediss://:${secret}@redis.corp.net:6379/0` : secret;
}

describe('the rules of secrets', () => {
  it.each(secrets)('judge %s, as every variable that the schema calls secret', (name) => {
    for (const [secret, problem] of [
      ['changethis-changethis-changethis-1', 'placeholder'],
      ['k3v0qXz', 'has 7 characters'],
      ['abababababababababababababababababab', 'has 2 different characters'],
    ] as const) {
      expect(judge({ [name]: write(name, secret) }).join()).toContain(problem);
    }
  });

  it.each(['x://', 'https://changethis', 'a://b:abababababababababab@c'])(
    'judge a whole key that looks like an address: %s',
    (key) => expect(judge({ SECRET_KEY: key })).not.toEqual([]),
  );

  it('judge each of several keys', () => {
    const problems = judge({ CONNECTION_KEYS: '5b7e1d09c4fa26835e0b1f7c29a4d836,k3v0qXz' });
    expect(problems.join()).toContain('CONNECTION_KEYS: a key has 7 characters');
  });

  it('take an escaped password as it is sent', () => {
    const problems = judge({ REDIS_URL: 'rediss://:change%74his-and-more-0123@redis.corp.net:6379/0' });
    expect(problems).toEqual([expect.stringContaining('its password is a placeholder')]);
  });

  it.each(['airlock_app', 'postgres'])(
    'refuse the password of the application for the administrator %s too',
    (user) => {
      const password = 'wNk3v0qXZr8bYt5L';
      const write = (role: string) => `postgres://${role}:${password}@${SERVER}`;
      const problems = judge({ DATABASE_URL: write('airlock_app'), DATABASE_ADMIN_URL: write(user) });
      expect(problems.filter((problem) => problem.includes('the same as that of'))).toHaveLength(1);
    },
  );
});

describe('the rules of databases', () => {
  it.each(databaseVariables)('judge %s, as every address of a database', (name) => {
    const problems = judge({ [name]: 'postgres://airlock_app:k3v0qXzR8bYt5LwN@localhost:6432/other_test' });
    expect(problems.join()).toContain('names the host localhost');
    expect(problems.join()).toContain('port 6432 of a connection pooler');
  });
});
