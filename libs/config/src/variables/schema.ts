/**
 * Every variable, once. The type of the config, its validation, the .env examples, docs/configuration.md and redaction
 * all come from this file. It is long because it is a table: one entry per variable, nothing else.
 */
import { z } from 'zod';
import { ENVIRONMENTS, type Environment } from '../values/environment.js';
import {
  certificates,
  databaseAddress,
  duration,
  flag,
  hosts,
  integer,
  list,
  listenHost,
  origins,
  port,
  redisUrl,
  secret,
  text,
  webAddress,
} from './fields.js';

/** One text for all environments, or one for each that has it. */
export type PerEnvironment = string | Readonly<Partial<Record<Environment, string>>>;

export interface VariableMeta {
  readonly group: string;
  readonly description: string;
  /** What the variable is where it is not set. */
  readonly default?: PerEnvironment;
  /** What the .env examples say; a secret's example is refused as a value where secrets count. */
  readonly example?: PerEnvironment;
  /** Where the .env example sets it although it need not be. */
  readonly shown?: readonly Environment[];
  /** Where it must be set. */
  readonly required?: readonly Environment[];
  /** The environments that it means something in; all of them where left out. */
  readonly only?: readonly Environment[];
  /** Never printed. */
  readonly secret?: true;
  /** Says where data lives: two sources with different values are an error, not a precedence. */
  readonly location?: true;
  /** May be given as NAME_FILE, a path whose content is the value. Every secret may. */
  readonly file?: true;
}

export const variables = z.registry<VariableMeta>();

const DEPLOYED = ['preview', 'staging', 'production'] as const;

const perEnvironment = (
  development: string,
  testing: string,
  preview: string,
  staging: string,
  production: string,
) => ({
  development,
  testing,
  preview,
  staging,
  production,
});

export const schema = z.object({
  ENVIRONMENT: z.enum(ENVIRONMENTS).register(variables, {
    group: 'Environment',
    description: 'Which of the five environments this process belongs to. Exact bytes; there is no default.',
    example: perEnvironment(...ENVIRONMENTS),
    required: ENVIRONMENTS,
    location: true,
  }),
  TESTING: flag()
    .optional()
    .register(variables, {
      group: 'Environment',
      description: 'States that tests run here. It grants nothing: it must agree with ENVIRONMENT.',
      example: perEnvironment('false', 'true', 'false', 'false', 'false'),
      shown: ['testing'],
    }),

  TEST_STORAGE: z.enum(['memory', 'disk']).register(variables, {
    group: 'Environment',
    description: 'Where test databases lie: a tmpfs, or the disk of a system that has none, such as macOS.',
    default: 'memory',
    only: ['testing'],
  }),

  SERVICE_NAME: text('a lower-case name such as airlock-api', /^[a-z][a-z0-9-]{0,39}$/).register(variables, {
    group: 'Service',
    description: 'The name in logs, metrics and the application_name of database sessions.',
    default: 'airlock-api',
  }),
  HOST: listenHost().register(variables, {
    group: 'Service',
    description: 'The address the API listens on.',
    default: perEnvironment('127.0.0.1', '127.0.0.1', '0.0.0.0', '0.0.0.0', '0.0.0.0'),
  }),
  PORT: port().register(variables, {
    group: 'Service',
    description: 'The port the API listens on; 0 takes a free one (development and testing).',
    default: '8000',
  }),
  MANAGEMENT_PORT: port().register(variables, {
    group: 'Service',
    description: 'The port of metrics and detailed health. Never publish it.',
    default: '9000',
  }),
  DEBUG: flag().register(variables, {
    group: 'Service',
    description: 'Shows details of errors to the caller.',
    default: perEnvironment('true', 'false', 'false', 'false', 'false'),
  }),
  WORKERS: integer(1, 64).register(variables, {
    group: 'Service',
    description: 'How many processes serve requests.',
    default: perEnvironment('1', '1', '1', '2', '4'),
  }),
  WITH_UI: flag().register(variables, {
    group: 'Service',
    description: 'Serves the pages for people: the API documentation and the console.',
    default: perEnvironment('true', 'true', 'true', 'false', 'false'),
  }),
  VERSION_ENDPOINT: z.enum(['full', 'short']).register(variables, {
    group: 'Service',
    description: 'What `/version` tells: short leaves out the time of the build and all but 7 digits of the commit.',
    default: perEnvironment('full', 'full', 'full', 'full', 'short'),
  }),
  SECRET_KEY: secret().optional().register(variables, {
    group: 'Service',
    description: 'Signs what the API hands out and takes back, such as cursors.',
    example: 'changethis-with-openssl-rand-hex-32',
    required: DEPLOYED,
    secret: true,
  }),

  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).register(variables, {
    group: 'Log',
    description: 'The least severe level that is logged.',
    default: perEnvironment('debug', 'warn', 'info', 'info', 'info'),
  }),
  LOG_FORMAT: z.enum(['json', 'pretty']).register(variables, {
    group: 'Log',
    description: 'One JSON object per line, or lines for people.',
    default: perEnvironment('pretty', 'json', 'json', 'json', 'json'),
  }),

  DATABASE_SERVER: z.enum(['external', 'embedded']).register(variables, {
    group: 'Database',
    description: 'embedded starts the PostgreSQL that came with the packages; external connects to one that runs.',
    default: 'external',
    example: { development: 'embedded' },
    shown: ['development'],
  }),
  DATABASE_URL: databaseAddress().register(variables, {
    group: 'Database',
    description: 'The database, as the application role: it reads and writes rows and changes no schema.',
    example: perEnvironment(
      'postgres://airlock_app:changethis@127.0.0.1:54318/airlock_development',
      'postgres://airlock_app:changethis@127.0.0.1:5433/airlock_test',
      'postgres://airlock_app:changethis@postgres:5432/airlock_preview',
      'postgres://airlock_app:changethis@db.staging.example.com:5432/airlock_staging?sslmode=verify-full',
      'postgres://airlock_app:changethis@db.example.com:5432/airlock?sslmode=verify-full',
    ),
    required: ENVIRONMENTS,
    secret: true,
    location: true,
  }),
  DATABASE_MIGRATION_URL: databaseAddress()
    .optional()
    .register(variables, {
      group: 'Database',
      description: 'The same database, as the migrator role. Only release jobs are given it.',
      example: perEnvironment(
        'postgres://airlock_migrator:changethis@127.0.0.1:54318/airlock_development',
        'postgres://airlock_migrator:changethis@127.0.0.1:5433/airlock_test',
        'postgres://airlock_migrator:changethis@postgres:5432/airlock_preview',
        'postgres://airlock_migrator:changethis@db.staging.example.com:5432/airlock_staging?sslmode=verify-full',
        'postgres://airlock_migrator:changethis@db.example.com:5432/airlock?sslmode=verify-full',
      ),
      shown: ['development', 'testing'],
      secret: true,
      location: true,
    }),
  DATABASE_ADMIN_URL: databaseAddress().optional().register(variables, {
    group: 'Database',
    description: 'The server, as a role that may create roles and databases. Only `airlock db provision` is given it.',
    example: 'postgres://postgres:changethis@db.example.com:5432/postgres',
    secret: true,
    location: true,
  }),
  DATABASE_SSL_CA: certificates().optional().register(variables, {
    group: 'Database',
    description: 'The certificate authority of the database, PEM. Best given as DATABASE_SSL_CA_FILE.',
    file: true,
  }),
  DB_ECHO: flag().register(variables, {
    group: 'Database',
    description: 'Logs each SQL statement, with parameters redacted.',
    default: 'false',
  }),
  DATABASE_POOL_SIZE: integer(1, 200).register(variables, {
    group: 'Database',
    description: 'Connections per process.',
    default: perEnvironment('5', '5', '5', '10', '10'),
  }),
  DATABASE_CONNECT_TIMEOUT: duration().register(variables, {
    group: 'Database',
    description: 'How long to wait for a connection.',
    default: '5s',
  }),
  DATABASE_STATEMENT_TIMEOUT: duration().register(variables, {
    group: 'Database',
    description: 'The longest a statement may run; below REQUEST_TIMEOUT, so that the database gives up first.',
    default: perEnvironment('20s', '10s', '20s', '20s', '20s'),
  }),
  DATABASE_LOCK_TIMEOUT: duration().register(variables, {
    group: 'Database',
    description: 'The longest a statement may wait for a lock.',
    default: perEnvironment('5s', '2s', '5s', '5s', '5s'),
  }),
  DATABASE_IDLE_IN_TRANSACTION_TIMEOUT: duration().register(variables, {
    group: 'Database',
    description: 'The longest a transaction may sit idle.',
    default: perEnvironment('1m', '30s', '30s', '30s', '30s'),
  }),
  PRIVATE_NETWORKS: hosts('host names, *.suffixes or CIDR blocks')
    .optional()
    .register(variables, {
      group: 'Database',
      description: 'Hosts and networks where TLS to the database may be off, such as postgres or 10.0.0.0/8.',
      example: perEnvironment('postgres', 'postgres', 'postgres', '10.0.0.0/8', '10.0.0.0/8'),
      shown: ['preview'],
    }),
  PROTECTED_HOSTS: hosts('host names, *.suffixes or CIDR blocks')
    .optional()
    .register(variables, {
      group: 'Database',
      description: 'Hosts of staging and production, which no lower environment may connect to.',
      example: 'db.staging.example.com,db.example.com',
      shown: ['preview'],
    }),

  REDIS_URL: redisUrl()
    .optional()
    .register(variables, {
      group: 'Redis',
      description: 'Cache and rate limits shared by all processes; without it they are per process.',
      example: perEnvironment(
        'redis://127.0.0.1:6379/0',
        'redis://127.0.0.1:6380/0',
        'redis://:changethis@redis:6379/0',
        'redis://:changethis@redis:6379/0',
        'redis://:changethis@redis:6379/0',
      ),
      required: ['staging', 'production'],
      secret: true,
      location: true,
    }),

  REQUEST_TIMEOUT: duration().register(variables, {
    group: 'HTTP',
    description: 'The longest a request may take before it is answered 503.',
    default: perEnvironment('1m', '15s', '25s', '25s', '25s'),
  }),
  CORS_ORIGINS: origins()
    .optional()
    .register(variables, {
      group: 'HTTP',
      description: 'Origins whose pages may call the API. Left out, none may.',
      example: perEnvironment(
        'http://localhost:3000',
        'http://localhost:3000',
        'https://app.preview.example.com',
        'https://app.staging.example.com',
        'https://app.example.com',
      ),
      shown: ['development', 'staging', 'production'],
    }),
  TRUSTED_PROXY_HOPS: integer(0, 10).register(variables, {
    group: 'HTTP',
    description: 'How many proxies in front are ours; that many X-Forwarded-For entries are believed.',
    default: perEnvironment('0', '0', '1', '1', '1'),
  }),
  RATE_LIMIT_PER_USER: integer(1, 1_000_000_000).register(variables, {
    group: 'HTTP',
    description: 'How many requests a user may send per minute, over all replicas.',
    default: perEnvironment('6000', '1000000', '1200', '1200', '1200'),
  }),
  RATE_LIMIT_PER_ADDRESS: integer(1, 1_000_000_000).register(variables, {
    group: 'HTTP',
    description: 'How many requests an address may send per minute, over all replicas; many users may share one.',
    default: perEnvironment('60000', '1000000', '6000', '6000', '6000'),
  }),
  HTTP_CLIENT_TIMEOUT: duration().register(variables, {
    group: 'HTTP',
    description: 'The longest an outgoing request may take.',
    default: perEnvironment('10s', '2s', '5s', '5s', '5s'),
  }),
  HTTP_CLIENT_MAX_RETRIES: integer(0, 10).register(variables, {
    group: 'HTTP',
    description: 'How often an idempotent outgoing request is tried again.',
    default: perEnvironment('2', '0', '2', '2', '2'),
  }),

  AUTH_ISSUER: webAddress().optional().register(variables, {
    group: 'Authentication',
    description: 'The issuer that tokens must name.',
    example: 'https://auth.example.com',
    required: DEPLOYED,
  }),
  AUTH_JWKS_URL: webAddress().optional().register(variables, {
    group: 'Authentication',
    description: 'Where the public keys of the issuer are.',
    example: 'https://auth.example.com/.well-known/jwks.json',
    required: DEPLOYED,
  }),
  AUTH_AUTHORIZED_PARTIES: list('origins or client ids', /^[\x21-\x2b\x2d-\x7e]{1,200}$/)
    .optional()
    .register(variables, {
      group: 'Authentication',
      description:
        'Who tokens may be meant for: `aud` must contain one of these; only a token without `aud` is judged by `azp`.',
      example: 'https://app.example.com',
      required: DEPLOYED,
    }),

  SENTRY_DSN: secret(
    'https://key@host/project',
    /^https:\/\/\w{1,200}@[A-Za-z0-9.-]{1,253}(:\d{1,5})?\/([\w.-]{1,100}\/)?\d{1,20}$/,
  )
    .optional()
    .register(variables, {
      group: 'Observability',
      description: 'Where errors are reported. Left out, the reporter is not even loaded.',
      example: 'https://key@sentry.example.com/1',
      secret: true,
    }),
  OTEL_EXPORTER_OTLP_ENDPOINT: webAddress().optional().register(variables, {
    group: 'Observability',
    description: 'Where traces and metrics are sent. Left out, OpenTelemetry is not even loaded.',
    example: 'http://otel-collector:4318',
  }),

  GIT_COMMIT: text('a commit: 7 to 64 lower-case hexadecimal digits', /^[0-9a-f]{7,64}$/)
    .optional()
    .register(variables, {
      group: 'Build',
      description: 'The commit this was built from. Written into the image.',
      example: '0123456789abcdef0123456789abcdef01234567',
    }),
  BUILD_TIME: text('a time such as 2026-01-31T12:00:00Z', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/)
    .optional()
    .register(variables, {
      group: 'Build',
      description: 'When it was built, UTC. Written into the image.',
      example: '2026-01-31T12:00:00Z',
    }),
  IMAGE_DIGEST: text('a digest: sha256: and 64 hexadecimal digits', /^sha256:[0-9a-f]{64}$/)
    .optional()
    .register(variables, {
      group: 'Build',
      description: 'The digest of the running image, which an image cannot know itself. Given at deploy.',
      example: 'sha256:0000000000000000000000000000000000000000000000000000000000000000',
    }),

  SHUTDOWN_DRAIN: duration().register(variables, {
    group: 'Shutdown',
    description: 'How long to keep serving after SIGTERM while proxies learn of it.',
    default: perEnvironment('0s', '0s', '5s', '5s', '5s'),
  }),
  SHUTDOWN_REQUESTS: duration().register(variables, {
    group: 'Shutdown',
    description: 'How long requests in flight may then take.',
    default: perEnvironment('3s', '3s', '25s', '25s', '25s'),
  }),
  SHUTDOWN_TEARDOWN: duration().register(variables, {
    group: 'Shutdown',
    description: 'How long pools and telemetry may then take to close.',
    default: perEnvironment('2s', '2s', '5s', '5s', '5s'),
  }),
  SHUTDOWN_GRACE: duration().register(variables, {
    group: 'Shutdown',
    description: 'When the platform kills: at least drain, requests and teardown and 5 s more.',
    default: perEnvironment('10s', '10s', '45s', '45s', '45s'),
  }),
});

export type VariableName = keyof typeof schema.shape;

/** What the variables say, each as the text that was found. */
export type Texts = Readonly<Partial<Record<VariableName, string>>>;
/** The parsed value of each variable. */
export type Values = z.output<typeof schema>;

export const variableNames = Object.keys(schema.shape) as VariableName[];

export function metaOf(name: VariableName): VariableMeta {
  const meta = variables.get(schema.shape[name]);
  if (!meta) throw new Error(`${name} is not described in the schema`);
  return meta;
}

export function textFor(value: PerEnvironment | undefined, environment: Environment): string | undefined {
  return typeof value === 'object' ? value[environment] : value;
}

/** The variables in the order of the schema, by group. */
export function groupVariables(): { group: string; names: VariableName[] }[] {
  const groups = Map.groupBy(variableNames, (name) => metaOf(name).group);
  return [...groups].map(([group, names]) => ({ group, names }));
}
