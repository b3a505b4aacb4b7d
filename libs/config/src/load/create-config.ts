import type { ProgramName } from '../programs/programs.js';
import type { Values } from '../variables/schema.js';
import { Secret } from '../values/secret-value.js';
import { traitsOf } from '../values/environment.js';

/** The typed config, deeply frozen. Its type is inferred from this function and the schema. */
export type Config = DeepReadonly<ReturnType<typeof arrange>>;

/** @param file the .env file that was used */
export function createConfig(values: Values, file: string | undefined, program?: ProgramName): Config {
  return deepFreeze(arrange(values, file, program));
}

function arrange(v: Values, file: string | undefined, program: ProgramName | undefined) {
  return {
    environment: v.ENVIRONMENT,
    file,
    testing: traitsOf(v.ENVIRONMENT).mayBeReset,
    testStorage: v.TEST_STORAGE,
    service: {
      name: program === 'worker' ? `${v.SERVICE_NAME.replace(/-api$/, '')}-worker` : v.SERVICE_NAME,
      host: v.HOST,
      port: v.PORT,
      managementPort: v.MANAGEMENT_PORT,
      debug: v.DEBUG,
      workers: v.WORKERS,
      withUi: v.WITH_UI,
      versionEndpoint: v.VERSION_ENDPOINT,
    },
    log: { level: v.LOG_LEVEL, format: v.LOG_FORMAT },
    database: {
      server: v.DATABASE_SERVER,
      app: v.DATABASE_URL,
      migration: v.DATABASE_MIGRATION_URL,
      admin: v.DATABASE_ADMIN_URL,
      sslCa: v.DATABASE_SSL_CA,
      echo: v.DB_ECHO,
      poolSize: v.DATABASE_POOL_SIZE,
      connectTimeoutMs: v.DATABASE_CONNECT_TIMEOUT,
      statementTimeoutMs: v.DATABASE_STATEMENT_TIMEOUT,
      lockTimeoutMs: v.DATABASE_LOCK_TIMEOUT,
      idleInTransactionTimeoutMs: v.DATABASE_IDLE_IN_TRANSACTION_TIMEOUT,
    },
    refresh: {
      source: v.REFRESH_SOURCE_URL,
      backups: v.REFRESH_BACKUP_URL,
      identity: v.REFRESH_BACKUP_IDENTITY,
      key: v.REFRESH_KEY,
    },
    jobs: { concurrency: v.JOB_CONCURRENCY, inApi: v.JOBS_IN_API },
    redis: v.REDIS_URL && { url: v.REDIS_URL },
    storage: v.STORAGE_URL,
    backups: {
      storage: v.BACKUP_URL,
      keep: v.BACKUP_KEEP,
      recipients: v.BACKUP_RECIPIENTS ?? [],
      identity: v.BACKUP_IDENTITY,
      tools: v.BACKUP_TOOLS,
      ageForMigrationMs: v.MIGRATION_BACKUP_AGE,
    },
    http: {
      requestTimeoutMs: v.REQUEST_TIMEOUT,
      corsOrigins: v.CORS_ORIGINS ?? [],
      trustedProxyHops: v.TRUSTED_PROXY_HOPS,
      rateLimitPerUser: v.RATE_LIMIT_PER_USER,
      rateLimitPerAddress: v.RATE_LIMIT_PER_ADDRESS,
      streamsPerUser: v.STREAMS_PER_USER,
    },
    httpClient: { timeoutMs: v.HTTP_CLIENT_TIMEOUT, maxRetries: v.HTTP_CLIENT_MAX_RETRIES },
    outbound: {
      hosts: v.OUTBOUND_HOSTS ?? (traitsOf(v.ENVIRONMENT).mayReachAnyHost ? ['*'] : []),
      proxy: v.OUTBOUND_PROXY,
    },
    mail: { server: v.SMTP_URL, from: v.MAIL_FROM },
    auth: {
      issuer: v.AUTH_ISSUER,
      jwksUrl: v.AUTH_JWKS_URL,
      authorizedParties: v.AUTH_AUTHORIZED_PARTIES ?? [],
      rolesClaim: v.AUTH_ROLES_CLAIM,
    },
    secretKey: v.SECRET_KEY,
    connections: {
      providers: v.CONNECTION_PROVIDERS ?? [],
      keys: v.CONNECTION_KEYS,
      callbackUrl: v.CALLBACK_URL,
      page: v.CONNECTIONS_PAGE,
    },
    observability: { sentryDsn: v.SENTRY_DSN, otlpEndpoint: v.OTEL_EXPORTER_OTLP_ENDPOINT },
    build: { commit: v.GIT_COMMIT, time: v.BUILD_TIME, imageDigest: v.IMAGE_DIGEST },
    shutdown: {
      drainMs: v.SHUTDOWN_DRAIN,
      requestMs: v.SHUTDOWN_REQUESTS,
      teardownMs: v.SHUTDOWN_TEARDOWN,
      graceMs: v.SHUTDOWN_GRACE,
    },
  };
}

type DeepReadonly<T> = T extends Secret ? T : T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

function deepFreeze<T extends object>(value: T): DeepReadonly<T> {
  for (const inner of Object.values(value) as unknown[]) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value) as DeepReadonly<T>;
}
