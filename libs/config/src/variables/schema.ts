/**
 * Declares every variable once. The type of the config, its validation, the .env examples, docs/configuration.md and
 * redaction are derived from this file. It is a long table with one entry per variable.
 */
import { z } from 'zod';
import {
  ENVIRONMENTS,
  type Environment,
  environmentsWith,
  environmentsWithout,
  traitsOf,
} from '../values/environment.js';
import type { DatabaseAddress } from '../values/database-url.js';
import type { StorageAddress } from '../values/storage-url.js';
import { MAIL_ADDRESS } from '../values/mail-address.js';
import { type ProgramName, programNames } from '../programs/programs.js';
import {
  certificates,
  connectionProviders,
  databaseAddress,
  duration,
  flag,
  hosts,
  integer,
  isDatabaseAddress,
  isServiceAddress,
  isStorageAddress,
  list,
  listenHost,
  origins,
  recipients,
  outboundHosts,
  port,
  redisUrl,
  secret,
  smtpUrl,
  storageAddress,
  text,
  webAddress,
} from './fields.js';

/**
 * One text for all environments, or texts for some by name and `strict` for all others. `<environment>` is replaced by
 * the name.
 */
export type PerEnvironment = string | (Readonly<Partial<Record<Environment, string>>> & { readonly strict?: string });

export interface VariableMeta {
  readonly group: string;
  readonly description: string;
  /** The value if the variable is not set. */
  readonly default?: PerEnvironment;
  /** The value in .env examples. Deployed environments reject the example of a secret as a value. */
  readonly example?: PerEnvironment;
  /** Environments whose .env example sets it although it is optional. */
  readonly shown?: readonly Environment[];
  /** Environments that require it. */
  readonly required?: readonly Environment[];
  /** Environments in which it has a meaning. Default: all. */
  readonly only?: readonly Environment[];
  /** Programs that read it and get it. Default: only the API. */
  readonly programs?: readonly ProgramName[];
  /** Never printed. */
  readonly secret?: true;
  /** Locates data. Two sources with different values are an error; no source overrides the other. */
  readonly location?: true;
  /** May be set by NAME_FILE, the path of a file with the value. Every secret may. */
  readonly file?: true;
}

export const variables = z.registry<VariableMeta>();

const DEPLOYED = environmentsWithout('runsLocally');
const LASTING = environmentsWithout('isDisposable');
const LOCAL = environmentsWith('runsLocally');
/** The programs that run for long, with a pool of connections. */
const RUNNING: readonly ProgramName[] = ['api', 'worker'];
const PASSING = DEPLOYED.filter((environment) => !LASTING.includes(environment));
/** No provider knows the address of a preview. */
const CONNECTING = ENVIRONMENTS.filter((environment) => !PASSING.includes(environment));
/** Filled with masked rows of another environment. */
const REFRESHED = environmentsWith('takesCopies');
/** Programs that serve HTTP. */
const SERVICES = ['api', 'callback'] as const;
/** Programs of the product that stay. */
const SERVERS = ['api', 'callback', 'worker'] as const;
/** The way out gets no address of a database. */
const WITH_DATABASE = programNames.filter((name) => name !== 'outbound');
/** Programs that know the hosts outside: those of the product, and the proxy that connects for them. */
const CONNECTED: readonly ProgramName[] = [...SERVERS, 'outbound'];
/** Their network has no way out but the proxy. */
const ISOLATED = DEPLOYED.filter((environment) => !traitsOf(environment).mayReachAnyHost);

export const schema = z.object({
  ENVIRONMENT: z.enum(ENVIRONMENTS).register(variables, {
    group: 'Environment',
    programs: programNames,
    description: 'The environment of this process. Compared exactly; there is no default.',
    example: '<environment>',
    required: ENVIRONMENTS,
    location: true,
  }),
  TESTING: flag()
    .optional()
    .register(variables, {
      group: 'Environment',
      programs: programNames,
      description: 'States that tests run here. It must agree with ENVIRONMENT and has no other effect.',
      example: { testing: 'true', strict: 'false' },
      shown: environmentsWith('mayBeReset'),
    }),

  TEST_STORAGE: z.enum(['memory', 'disk']).register(variables, {
    group: 'Environment',
    description: 'Storage of test databases: a tmpfs, or the disk of a system without tmpfs, such as macOS.',
    default: 'memory',
    only: environmentsWith('mayBeReset'),
  }),

  SERVICE_NAME: text('a lower-case name such as airlock-api', /^[a-z][a-z0-9-]{0,39}$/).register(variables, {
    group: 'Service',
    programs: RUNNING,
    description: 'The name in logs and metrics; that of the worker ends in -worker instead of -api.',
    default: 'airlock-api',
  }),
  HOST: listenHost().register(variables, {
    group: 'Service',
    programs: CONNECTED,
    description: 'The address that the service, and its management port, listens on.',
    default: { development: '127.0.0.1', testing: '127.0.0.1', strict: '0.0.0.0' },
  }),
  PORT: port().register(variables, {
    group: 'Service',
    programs: [...SERVICES, 'outbound'],
    description:
      'The port that the API listens on; 0 selects a free one (development and testing). The callback: 8182.',
    default: '8000',
  }),
  MANAGEMENT_PORT: port().register(variables, {
    group: 'Service',
    programs: SERVERS,
    description: 'The port for metrics and detailed health. Never publish it. The callback: 9182.',
    default: '9000',
  }),
  DEBUG: flag().register(variables, {
    group: 'Service',
    description: 'Includes details of errors in responses.',
    default: { development: 'true', strict: 'false' },
  }),
  WORKERS: integer(1, 64).register(variables, {
    group: 'Service',
    description: 'The number of processes that serve requests.',
    default: { development: '1', testing: '1', preview: '1', staging: '2', strict: '4' },
  }),
  WITH_UI: flag().register(variables, {
    group: 'Service',
    description: 'Serves the pages of the API documentation and the console.',
    default: { development: 'true', testing: 'true', preview: 'true', strict: 'false' },
  }),
  VERSION_ENDPOINT: z.enum(['full', 'short']).register(variables, {
    group: 'Service',
    description: 'Content of `/version`: short omits the build time and all but 7 digits of the commit.',
    default: { development: 'full', testing: 'full', preview: 'full', staging: 'full', strict: 'short' },
  }),
  SECRET_KEY: secret().optional().register(variables, {
    group: 'Service',
    description: 'Signs values that clients send back to the API, such as cursors.',
    example: 'changethis-with-openssl-rand-hex-32',
    required: DEPLOYED,
    secret: true,
  }),

  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).register(variables, {
    group: 'Log',
    programs: CONNECTED,
    description: 'The least severe level that is logged.',
    default: { development: 'debug', testing: 'warn', strict: 'info' },
  }),
  LOG_FORMAT: z.enum(['json', 'pretty']).register(variables, {
    group: 'Log',
    programs: CONNECTED,
    description: 'One JSON object per line, or readable lines.',
    default: { development: 'pretty', strict: 'json' },
  }),

  DATABASE_SERVER: z.enum(['external', 'embedded']).register(variables, {
    group: 'Database',
    programs: WITH_DATABASE,
    description: 'embedded starts the PostgreSQL of the npm packages; external connects to a running server.',
    default: 'external',
    example: { development: 'embedded' },
    shown: environmentsWith('isServedFromSources'),
  }),
  DATABASE_URL: databaseAddress().register(variables, {
    group: 'Database',
    programs: WITH_DATABASE,
    description: 'The database, as the application role, which reads and writes rows but cannot change the schema.',
    example: {
      development: 'postgres://airlock_app:changethis@127.0.0.1:15432/airlock_development',
      testing: 'postgres://airlock_app:changethis@127.0.0.1:5433/airlock_test',
      preview: 'postgres://airlock_app:changethis@postgres:5432/airlock_preview',
      production: 'postgres://airlock_app:changethis@db.example.com:5432/airlock?sslmode=verify-full',
      strict:
        'postgres://airlock_app:changethis@db.<environment>.example.com:5432/airlock_<environment>?sslmode=verify-full',
    },
    required: ENVIRONMENTS,
    secret: true,
    location: true,
  }),
  DATABASE_MIGRATION_URL: databaseAddress()
    .optional()
    .register(variables, {
      group: 'Database',
      programs: ['migrate', 'provision'],
      description: 'The same database, as the migrator role. Only release jobs get it.',
      example: {
        development: 'postgres://airlock_migrator:changethis@127.0.0.1:15432/airlock_development',
        testing: 'postgres://airlock_migrator:changethis@127.0.0.1:5433/airlock_test',
        preview: 'postgres://airlock_migrator:changethis@postgres:5432/airlock_preview',
        production: 'postgres://airlock_migrator:changethis@db.example.com:5432/airlock?sslmode=verify-full',
        strict:
          'postgres://airlock_migrator:changethis@db.<environment>.example.com:5432/airlock_<environment>?sslmode=verify-full',
      },
      shown: LOCAL,
      secret: true,
      location: true,
    }),
  DATABASE_ADMIN_URL: databaseAddress()
    .optional()
    .register(variables, {
      group: 'Database',
      programs: ['provision', 'backup'],
      description:
        'The server, as a role that may create roles and databases. Only commands of an administrator get it.',
      example: 'postgres://postgres:changethis@db.example.com:5432/postgres',
      secret: true,
      location: true,
    }),
  MIGRATION_BACKUP_AGE: duration(720)
    .optional()
    .register(variables, {
      group: 'Database',
      programs: ['migrate'],
      only: LASTING,
      description: 'Migrations run only if a backup is at most this old. Default: without a backup too.',
      example: '26h',
    }),
  REFRESH_SOURCE_URL: databaseAddress()
    .optional()
    .register(variables, {
      group: 'Database',
      programs: ['provision'],
      only: REFRESHED,
      description:
        'In place of REFRESH_BACKUP_URL: a server that was restored from a backup, as a role that reads every row.',
      example: 'postgres://postgres:changethis@restored.example.com:5432/airlock?sslmode=verify-full',
      secret: true,
      location: true,
    }),
  REFRESH_BACKUP_URL: storageAddress()
    .optional()
    .register(variables, {
      group: 'Database',
      programs: ['provision'],
      only: REFRESHED,
      description:
        'The backups of production: a folder, or a bucket with keys that only read. A refresh copies the newest one.',
      example: 's3://reader:changethis@s3.eu-central-1.example.com:443/airlock-backups?region=eu-central-1',
      secret: true,
      location: true,
    }),
  REFRESH_BACKUP_IDENTITY: secret()
    .optional()
    .register(variables, {
      group: 'Database',
      programs: ['provision'],
      only: REFRESHED,
      description: 'The secret key of age that decrypts the backups of REFRESH_BACKUP_URL.',
      example: 'changethis',
      secret: true,
    }),
  REFRESH_KEY: secret()
    .optional()
    .register(variables, {
      group: 'Database',
      programs: ['provision'],
      only: REFRESHED,
      description:
        'Decides the pseudonyms of `airlock db refresh`: with the same key, a person has the same ones each time.',
      example: 'changethis-for-each-pair-of-environments',
      secret: true,
    }),
  DATABASE_SSL_CA: certificates().optional().register(variables, {
    group: 'Database',
    programs: WITH_DATABASE,
    description: 'The certificate authority of the database, PEM. Preferably set by DATABASE_SSL_CA_FILE.',
    file: true,
  }),
  DB_ECHO: flag().register(variables, {
    group: 'Database',
    programs: RUNNING,
    description: 'Logs each SQL statement, with parameters redacted.',
    default: 'false',
  }),
  DATABASE_POOL_SIZE: integer(1, 200).register(variables, {
    group: 'Database',
    programs: RUNNING,
    description: 'Connections per process.',
    default: { development: '5', testing: '5', preview: '5', strict: '10' },
  }),
  DATABASE_CONNECT_TIMEOUT: duration().register(variables, {
    group: 'Database',
    programs: RUNNING,
    description: 'The time limit for a connection to the database.',
    default: '5s',
  }),
  DATABASE_STATEMENT_TIMEOUT: duration().register(variables, {
    group: 'Database',
    programs: RUNNING,
    description: 'The time limit of a statement; below REQUEST_TIMEOUT, so that the database cancels first.',
    default: { testing: '10s', strict: '20s' },
  }),
  DATABASE_LOCK_TIMEOUT: duration().register(variables, {
    group: 'Database',
    programs: RUNNING,
    description: 'The longest time that a statement waits for a lock.',
    default: { testing: '2s', strict: '5s' },
  }),
  DATABASE_IDLE_IN_TRANSACTION_TIMEOUT: duration().register(variables, {
    group: 'Database',
    programs: RUNNING,
    description: 'The longest time that a transaction may be idle.',
    default: { development: '1m', strict: '30s' },
  }),
  PRIVATE_NETWORKS: hosts('host names, *.suffixes or CIDR blocks')
    .optional()
    .register(variables, {
      group: 'Database',
      programs: programNames,
      description: 'Hosts and networks that may be used without TLS, such as postgres or 10.0.0.0/8.',
      example: { development: 'postgres', testing: 'postgres', preview: 'postgres', strict: '10.0.0.0/8' },
      shown: PASSING,
    }),
  PROTECTED_HOSTS: hosts('host names, *.suffixes or CIDR blocks').optional().register(variables, {
    group: 'Database',
    programs: programNames,
    description: 'Hosts of staging and production. No lower environment may connect to them.',
    example: 'db.staging.example.com,db.example.com',
    shown: PASSING,
  }),

  JOB_CONCURRENCY: integer(1, 100).register(variables, {
    group: 'Jobs',
    programs: RUNNING,
    description: 'How many jobs a process runs at once; at most one less than DATABASE_POOL_SIZE.',
    default: { development: '2', testing: '2', preview: '2', strict: '4' },
  }),
  JOBS_IN_API: flag().register(variables, {
    group: 'Jobs',
    description: 'The API runs the jobs, in place of a worker.',
    default: { development: 'true', preview: 'true', strict: 'false' },
  }),

  REDIS_URL: redisUrl()
    .optional()
    .register(variables, {
      group: 'Redis',
      programs: RUNNING,
      description: 'Shared cache and rate limits. Without it nothing is cached, and limits are per process.',
      example: {
        development: 'redis://127.0.0.1:6379/0',
        testing: 'redis://127.0.0.1:6380/0',
        strict: 'redis://:changethis@redis:6379/0',
      },
      required: LASTING,
      secret: true,
      location: true,
    }),

  STORAGE_URL: storageAddress()
    .optional()
    .register(variables, {
      group: 'Storage',
      programs: [...RUNNING, 'outbound'],
      description: 'Where files of users are stored: a folder or a bucket. Routes that take files require it.',
      example: {
        development: 'file:./.airlock/files',
        testing: 'file:/tmp/airlock-files',
        strict: 's3://access-key:changethis@s3.eu-central-1.example.com:443/airlock-<environment>?region=eu-central-1',
      },
      shown: environmentsWith('isServedFromSources'),
      secret: true,
      location: true,
    }),

  BACKUP_URL: storageAddress()
    .optional()
    .register(variables, {
      group: 'Storage',
      programs: ['backup'],
      description: 'Where backups of the database are stored: a bucket, or a folder, that holds nothing else.',
      example: {
        development: 'file:./.airlock/backups',
        testing: 'file:/tmp/airlock-backups',
        strict:
          's3://access-key:changethis@s3.eu-central-1.example.com:443/airlock-<environment>-backups?region=eu-central-1',
      },
      secret: true,
      location: true,
    }),
  BACKUP_KEEP: integer(1, 1_000).register(variables, {
    group: 'Storage',
    programs: ['backup'],
    description:
      'The number of backups that `airlock db backup` keeps, besides the last one that was restored on trial.',
    default: '14',
  }),
  BACKUP_RECIPIENTS: recipients()
    .optional()
    .register(variables, {
      group: 'Storage',
      programs: ['backup'],
      description: 'Encrypts each backup for the holders of these keys. Without it backups are not encrypted.',
      example: 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
    }),
  BACKUP_IDENTITY: secret()
    .optional()
    .register(variables, {
      group: 'Storage',
      programs: ['backup'],
      description: 'The secret key of age that decrypts backups, for a restore and a drill.',
      example: 'changethis',
      secret: true,
    }),
  BACKUP_TOOLS: text('the absolute path of a folder', /^\/[\w./+ -]{1,400}$/)
    .optional()
    .register(variables, {
      group: 'Storage',
      programs: ['backup', 'provision'],
      description:
        'The folder of the programs of PostgreSQL, of the major version of the server. Default: the search path.',
      example: '/usr/lib/postgresql/18/bin',
    }),

  REQUEST_TIMEOUT: duration().register(variables, {
    group: 'HTTP',
    programs: RUNNING,
    description: 'The time limit of a request. After it, the response is 503.',
    default: { development: '1m', testing: '15s', strict: '25s' },
  }),
  CORS_ORIGINS: origins()
    .optional()
    .register(variables, {
      group: 'HTTP',
      description: 'Origins whose pages may call the API. Default: none.',
      example: {
        development: 'http://localhost:3000',
        testing: 'http://localhost:3000',
        production: 'https://app.example.com',
        strict: 'https://app.<environment>.example.com',
      },
      shown: [...environmentsWith('isServedFromSources'), ...LASTING],
    }),
  TRUSTED_PROXY_HOPS: integer(0, 10).register(variables, {
    group: 'HTTP',
    programs: SERVICES,
    description: 'The number of trusted proxies in front; as many X-Forwarded-For entries are trusted.',
    default: { development: '0', testing: '0', strict: '1' },
  }),
  RATE_LIMIT_PER_USER: integer(1, 1_000_000_000).register(variables, {
    group: 'HTTP',
    description: 'The limit of requests per minute for a user, over all replicas.',
    default: { development: '6000', testing: '1000000', strict: '1200' },
  }),
  RATE_LIMIT_PER_ADDRESS: integer(1, 1_000_000_000).register(variables, {
    group: 'HTTP',
    programs: SERVICES,
    description: 'The limit of requests per minute for an address, over all replicas; users may share an address.',
    default: { development: '60000', testing: '1000000', strict: '6000' },
  }),
  STREAMS_PER_USER: integer(1, 10_000).register(variables, {
    group: 'HTTP',
    description: 'How many event streams and WebSockets a user may have open in one process.',
    default: '20',
  }),
  HTTP_CLIENT_TIMEOUT: duration().register(variables, {
    group: 'HTTP',
    programs: SERVERS,
    description: 'The time limit of an outgoing request, including retries.',
    default: { development: '10s', testing: '2s', strict: '5s' },
  }),
  HTTP_CLIENT_MAX_RETRIES: integer(0, 10).register(variables, {
    group: 'HTTP',
    programs: SERVERS,
    description: 'How often an idempotent outgoing request is retried.',
    default: { testing: '0', strict: '2' },
  }),

  OUTBOUND_HOSTS: outboundHosts()
    .optional()
    .register(variables, {
      group: 'Outbound',
      programs: CONNECTED,
      description:
        'Outside hosts that may be reached, and domains that may get mail. Default: all in production, none elsewhere.',
      example: { production: 'api.payments.example', strict: 'sandbox.payments.example,team.example.com' },
      only: environmentsWith('mayReachListedHosts'),
    }),
  OUTBOUND_PROXY: webAddress()
    .optional()
    .register(variables, {
      group: 'Outbound',
      programs: [...SERVERS, 'backup', 'provision'],
      description: 'The proxy through which HTTP and mail leave a network that has no other way out.',
      example: 'http://outbound:3128',
      only: ISOLATED,
    }),
  SMTP_URL: smtpUrl()
    .optional()
    .register(variables, {
      group: 'Outbound',
      programs: [...RUNNING, 'outbound'],
      description:
        'The server that sends mail: smtp:// with STARTTLS, smtps://, or catcher://, a mail catcher that sends nothing.',
      example: {
        development: 'catcher://127.0.0.1:1025',
        testing: 'catcher://127.0.0.1:1025',
        preview: 'catcher://mailpit:1025',
        production: 'smtp://airlock:changethis@smtp.example.com:587',
        strict: 'smtp://airlock:changethis@smtp.<environment>.example.com:587',
      },
      secret: true,
      location: true,
    }),
  MAIL_FROM: text('a mail address such as no-reply@example.com', MAIL_ADDRESS).register(variables, {
    group: 'Outbound',
    programs: RUNNING,
    description: 'The sender of mail.',
    default: 'no-reply@localhost',
    example: { production: 'no-reply@example.com', strict: 'no-reply@<environment>.example.com' },
  }),

  AUTH_ISSUER: webAddress().optional().register(variables, {
    group: 'Authentication',
    description: 'The issuer that tokens must name.',
    example: 'https://auth.example.com',
    required: DEPLOYED,
  }),
  AUTH_JWKS_URL: webAddress()
    .optional()
    .register(variables, {
      group: 'Authentication',
      programs: ['api', 'outbound'],
      description: 'The address of the public keys of the issuer.',
      example: 'https://auth.example.com/.well-known/jwks.json',
      required: DEPLOYED,
    }),
  AUTH_AUTHORIZED_PARTIES: list('origins or client ids', /^[\x21-\x2b\x2d-\x7e]{1,200}$/)
    .optional()
    .register(variables, {
      group: 'Authentication',
      description:
        'Accepted audiences of tokens: `aud` must contain one of these; a token without `aud` is checked by `azp`.',
      example: 'https://app.example.com',
      required: DEPLOYED,
    }),
  AUTH_ROLES_CLAIM: text('the name of a claim, or a path such as realm_access.roles', /^[\x21-\x7e]{1,200}$/).register(
    variables,
    {
      group: 'Authentication',
      description: 'The claim with the roles of a caller: a name, or a path such as `realm_access.roles`.',
      default: 'roles',
    },
  ),

  CONNECTION_PROVIDERS: connectionProviders().optional().register(variables, {
    group: 'Connections',
    programs: SERVERS,
    only: CONNECTING,
    description: 'The providers at which users connect accounts, as JSON. Without it there are none.',
    example:
      '[{"name":"acme","issuer":"https://login.acme.com","clientId":"airlock","clientSecret":"changethis","scopes":["openid","offline_access"]}]',
    secret: true,
  }),
  CONNECTION_KEYS: secret(
    '1 to 4 keys, separated by commas',
    /^[\x21-\x2b\x2d-\x7e]{1,200}(,[\x21-\x2b\x2d-\x7e]{1,200}){0,3}$/,
  )
    .optional()
    .register(variables, {
      group: 'Connections',
      programs: SERVERS,
      only: CONNECTING,
      description:
        'Encrypt the tokens of connected accounts: the current key, then keys that only decrypt, separated by commas.',
      example: 'changethis-as-well-with-openssl-rand-hex-32',
      secret: true,
    }),
  CALLBACK_URL: webAddress()
    .optional()
    .register(variables, {
      group: 'Connections',
      programs: SERVERS,
      only: CONNECTING,
      description: 'The public address of the callback, to which providers send users back.',
      example: {
        development: 'http://127.0.0.1:8182',
        testing: 'http://127.0.0.1:8183',
        production: 'https://callback.example.com',
        strict: 'https://callback.<environment>.example.com',
      },
    }),
  CONNECTIONS_PAGE: webAddress()
    .optional()
    .register(variables, {
      group: 'Connections',
      programs: SERVERS,
      only: CONNECTING,
      description: 'The page of your application to which the callback sends users.',
      example: {
        development: 'http://127.0.0.1:3000/connections',
        testing: 'http://127.0.0.1:3000/connections',
        production: 'https://app.example.com/connections',
        strict: 'https://app.<environment>.example.com/connections',
      },
    }),

  SENTRY_DSN: secret(
    'https://key@host/project',
    /^https:\/\/\w{1,200}@[A-Za-z0-9.-]{1,253}(:\d{1,5})?\/([\w.-]{1,100}\/)?\d{1,20}$/,
  )
    .optional()
    .register(variables, {
      group: 'Observability',
      programs: CONNECTED,
      description: 'The address for error reports. Without it, the reporter is not loaded.',
      example: 'https://key@sentry.example.com/1',
      secret: true,
    }),
  OTEL_EXPORTER_OTLP_ENDPOINT: webAddress().optional().register(variables, {
    group: 'Observability',
    programs: CONNECTED,
    description: 'The address for traces and metrics. Without it, OpenTelemetry is not loaded.',
    example: 'http://otel-collector:4318',
  }),

  GIT_COMMIT: text('a commit: 7 to 64 lower-case hexadecimal digits', /^[0-9a-f]{7,64}$/)
    .optional()
    .register(variables, {
      group: 'Build',
      programs: programNames,
      description: 'The commit of the build. Written into the image.',
      example: '0123456789abcdef0123456789abcdef01234567',
    }),
  BUILD_TIME: text('a time such as 2026-01-31T12:00:00Z', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/)
    .optional()
    .register(variables, {
      group: 'Build',
      programs: programNames,
      description: 'The time of the build, UTC. Written into the image.',
      example: '2026-01-31T12:00:00Z',
    }),
  IMAGE_DIGEST: text('a digest: sha256: and 64 hexadecimal digits', /^sha256:[0-9a-f]{64}$/)
    .optional()
    .register(variables, {
      group: 'Build',
      programs: programNames,
      description: 'The digest of the running image, which an image cannot contain. Set by the deploy.',
      example: 'sha256:0000000000000000000000000000000000000000000000000000000000000000',
    }),

  SHUTDOWN_DRAIN: duration().register(variables, {
    group: 'Shutdown',
    programs: [...RUNNING, 'outbound'],
    description: 'How long requests are still served after SIGTERM, until proxies have noticed.',
    default: { development: '0s', testing: '0s', strict: '5s' },
  }),
  SHUTDOWN_REQUESTS: duration().register(variables, {
    group: 'Shutdown',
    programs: [...RUNNING, 'outbound'],
    description: 'The time limit for requests in flight after the drain.',
    default: { development: '3s', testing: '3s', strict: '25s' },
  }),
  SHUTDOWN_TEARDOWN: duration().register(variables, {
    group: 'Shutdown',
    programs: [...RUNNING, 'outbound'],
    description: 'The time limit for closing pools and telemetry after that.',
    default: { development: '2s', testing: '2s', strict: '5s' },
  }),
  SHUTDOWN_GRACE: duration().register(variables, {
    group: 'Shutdown',
    programs: [...RUNNING, 'outbound'],
    description: 'The time after which the platform kills: at least drain, requests, teardown and 5 s.',
    default: { development: '10s', testing: '10s', strict: '45s' },
  }),
});

export type VariableName = keyof typeof schema.shape;

/** The text of each variable that is set. */
export type Texts = Readonly<Partial<Record<VariableName, string>>>;
/** The parsed value of each variable. */
export type Values = z.output<typeof schema>;

export const variableNames = Object.keys(schema.shape) as VariableName[];

/** A variable that is a `databaseAddress()`: every rule about databases judges it. */
export type DatabaseVariable = {
  [Name in VariableName]-?: NonNullable<Values[Name]> extends DatabaseAddress ? Name : never;
}[VariableName];

export const databaseVariables = variableNames.filter((name): name is DatabaseVariable =>
  isDatabaseAddress(schema.shape[name]),
);

/** Variables that are a `serviceAddress()`. */
export const serviceVariables = variableNames.filter((name) => isServiceAddress(schema.shape[name]));

/** A variable that is a `storageAddress()`: every rule about storages judges it. */
export type StorageVariable = {
  [Name in VariableName]-?: NonNullable<Values[Name]> extends StorageAddress ? Name : never;
}[VariableName];

export const storageVariables = variableNames.filter((name): name is StorageVariable =>
  isStorageAddress(schema.shape[name]),
);

export function metaOf(name: VariableName): VariableMeta {
  const meta = variables.get(schema.shape[name]);
  if (!meta) throw new Error(`${name}: is not described in the schema; expected \`.register(variables, …)\``);
  return meta;
}

/** Whether the program reads the variable. Without a program, as in commands of an operator, all are read. */
export function isRead(name: VariableName, program: ProgramName | undefined): boolean {
  return program === undefined || (metaOf(name).programs ?? ['api']).includes(program);
}

export function textFor(value: PerEnvironment | undefined, environment: Environment): string | undefined {
  const text = typeof value === 'object' ? (value[environment] ?? value.strict) : value;
  return text?.replaceAll('<environment>', environment);
}

/** The variables by group, in the order of the schema. */
export function groupVariables(): { group: string; names: VariableName[] }[] {
  const groups = Map.groupBy(variableNames, (name) => metaOf(name).group);
  return [...groups].map(([group, names]) => ({ group, names }));
}
