import type { Redis, RedisOptions } from 'ioredis';

const PROBE_MS = 1_000;

interface Explanation {
  readonly pattern: RegExp;
  readonly explain: (options: RedisOptions, error: Error) => string;
}

/** Errors that waiting does not fix, by the messages of Redis, ioredis or Node, which contain no password. */
const explanations: readonly Explanation[] = [
  {
    pattern: /WRONGPASS|NOAUTH|invalid password|invalid username-password/,
    explain: (options) =>
      `${where(options)} rejects the user and password; expected those of one of its users\n` +
      '  redis-cli -u "$REDIS_URL" PING   # connects like this process',
  },
  {
    pattern: /DB index is out of range|invalid DB index|SELECT is not allowed/,
    explain: (options) =>
      `${where(options)} has no database ${options.db}; expected an existing one, such as 0\n` +
      '  redis-cli -u "$REDIS_URL" CONFIG GET databases   # shows how many there are',
  },
  {
    pattern: /NOPERM/,
    explain: (options, { message }) => {
      const command = /'([\w|]+)' command/.exec(message)?.[1]?.replace('|', ' ');
      const user = options.username ?? 'default';
      const lacks = command === undefined ? 'use the keys of this service' : `run ${command.toUpperCase()}`;
      return (
        `the user "${user}" of ${where(options)} may not ${lacks}; expected the rights in docs/runbooks/redis-down.md\n` +
        `  ACL SETUSER ${user} ${command === undefined ? '~airlock:*' : `+${command.replace(' ', '|')}`}`
      );
    },
  },
  {
    pattern: /wrong version number|SSL routines|EPROTO|packet length too long/i,
    explain: (options) =>
      `${where(options)} does not support TLS, which rediss:// requires\n  REDIS_URL=redis://…   # or the TLS port of the server`,
  },
  {
    pattern: /self.signed|unable to (get|verify)|certificate|altnames/i,
    explain: (options) =>
      `the certificate of ${where(options)} is not trusted; expected one from a known authority for this host\n` +
      '  NODE_EXTRA_CA_CERTS=/path/to/ca.pem',
  },
];

/** @returns why Redis will also reject the next attempt, with the fix; undefined if it may only be unavailable */
export function explainRedis(error: Error, options: RedisOptions): string | undefined {
  const code = 'code' in error ? String(error.code) : '';
  const text = `${code} ${error.message}`;
  const found = explanations.find(({ pattern }) => pattern.test(text));
  return found && `REDIS_URL: ${found.explain(options, error)}`;
}

/** If only one side uses TLS, the server does not respond or closes the connection. */
export function looksLikeOtherProtocol({ code }: NodeJS.ErrnoException, { tls }: RedisOptions): boolean {
  return code === 'ECONNRESET' || (tls !== undefined && code === 'ETIMEDOUT');
}

/** For a server that did so at several attempts. */
export function explainOtherProtocol(options: RedisOptions): string {
  const [expected, scheme] = options.tls ? ['with TLS', 'redis://'] : ['without TLS', 'rediss://'];
  return (
    `REDIS_URL: ${where(options)} closes or ignores every connection; expected a Redis ${expected}\n` +
    `  REDIS_URL=${scheme}…   # for a Redis ${options.tls ? 'without' : 'with'} TLS`
  );
}

/** Runs each command that the cache, the limits and the probes need. @throws the error of the first rejected command */
export async function probeRedis(redis: Redis, environment: string): Promise<void> {
  const key = `airlock:${environment}:probe:${process.pid}`;
  const pipeline = redis
    .pipeline()
    .ping()
    .info('server')
    .eval('return 1', 0)
    .set(key, '', 'PX', PROBE_MS, 'NX')
    .getex(key)
    .get(key)
    .exists(key)
    .del(key)
    .incrby(key, 1)
    .pexpire(key, PROBE_MS)
    .del(key)
    .sadd(key, '')
    .pexpire(key, PROBE_MS)
    .srem(key, '');
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}

function where({ host, port }: RedisOptions): string {
  return `${host}:${port}`;
}
