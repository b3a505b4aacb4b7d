import type { Environment } from '../values/environment.js';
import { certificate } from './certificate.js';
import { FOLDER, type FolderContent } from './folder.js';

/** A valid environment with one error, and the output of `airlock config check` without the fixes. */
export interface BadEnvironment {
  readonly title: string;
  readonly base: Environment;
  readonly set: Readonly<Record<string, string | undefined>>;
  readonly files?: FolderContent;
  readonly lines: readonly string[];
}

export const badEnvironments: readonly BadEnvironment[] = [
  {
    title: 'no ENVIRONMENT at all',
    base: 'production',
    set: { ENVIRONMENT: undefined },
    lines: ['ENVIRONMENT: is not set; expected development, testing, preview, staging or production'],
  },
  {
    title: 'an empty ENVIRONMENT',
    base: 'testing',
    set: { ENVIRONMENT: '' },
    lines: ['ENVIRONMENT: is ""; expected development, testing, preview, staging or production'],
  },
  {
    title: 'ENVIRONMENT in capitals',
    base: 'testing',
    set: { ENVIRONMENT: 'TESTING' },
    lines: ['ENVIRONMENT: is "TESTING"; expected development, testing, preview, staging or production'],
  },
  {
    title: 'ENVIRONMENT with a space behind it',
    base: 'testing',
    set: { ENVIRONMENT: 'testing ' },
    lines: ['ENVIRONMENT: is "testing "; expected development, testing, preview, staging or production'],
  },
  {
    title: 'ENVIRONMENT with a carriage return behind it',
    base: 'testing',
    set: { ENVIRONMENT: 'testing\r' },
    lines: ['ENVIRONMENT: is "testing\\r"; expected development, testing, preview, staging or production'],
  },
  {
    title: 'ENVIRONMENT with a Cyrillic letter',
    base: 'testing',
    set: { ENVIRONMENT: 't\u0435sting' },
    lines: [
      'ENVIRONMENT: is "t\\u0435sting", which contains a look-alike letter; expected development, testing, preview, staging or production',
    ],
  },
  {
    title: 'ENVIRONMENT with a zero-width space',
    base: 'testing',
    set: { ENVIRONMENT: 'testing\u200b' },
    lines: [
      'ENVIRONMENT: is "testing\\u200b", which contains a look-alike letter; expected development, testing, preview, staging or production',
    ],
  },
  {
    title: 'an abbreviated ENVIRONMENT',
    base: 'production',
    set: { ENVIRONMENT: 'prod' },
    lines: ['ENVIRONMENT: is "prod"; expected development, testing, preview, staging or production'],
  },
  {
    title: 'ENVIRONMENT stated as testing by .env alone',
    base: 'testing',
    set: { ENVIRONMENT: undefined },
    files: { '.env': 'ENVIRONMENT=testing\n' },
    lines: [
      'ENVIRONMENT: is set only in .env, as "testing"; expected it in the process environment; a file may set only development',
    ],
  },
  {
    title: 'ENVIRONMENT stated as production by .env alone',
    base: 'production',
    set: { ENVIRONMENT: undefined },
    files: { '.env': 'ENVIRONMENT=production\n' },
    lines: [
      'ENVIRONMENT: is set only in .env, as "production"; expected it in the process environment; a file may set only development',
    ],
  },
  {
    title: 'a development file under testing',
    base: 'testing',
    set: {},
    files: {
      '.env': 'ENVIRONMENT=development\nDATABASE_URL=postgres://airlock_app:x@127.0.0.1:15432/airlock_development\n',
    },
    lines: ['ENVIRONMENT: is testing, but .env says "development"; expected a file with ENVIRONMENT=testing'],
  },
  {
    title: 'a .env that states no environment under testing',
    base: 'testing',
    set: {},
    files: { '.env': 'LOG_LEVEL=info\n' },
    lines: ['ENVIRONMENT: is testing, but .env says nothing; expected a file with ENVIRONMENT=testing'],
  },
  {
    title: 'a .env.testing that says production',
    base: 'testing',
    set: {},
    files: { '.env.testing': 'ENVIRONMENT=production\n' },
    lines: ['ENVIRONMENT: is testing, but .env.testing says "production"; expected a file with ENVIRONMENT=testing'],
  },
  {
    title: '.env.testing linked to .env.production',
    base: 'testing',
    set: {},
    files: { '.env.production': 'ENVIRONMENT=testing\n', '.env.testing': { linkTo: '.env.production' } },
    lines: ['.env.testing: is the same file as .env.production; expected a separate text file'],
  },
  {
    title: '.env.testing as another name of .env.production',
    base: 'testing',
    set: {},
    files: { '.env.production': 'LOG_LEVEL=info\n', '.env.testing': { sameAs: '.env.production' } },
    lines: ['.env.testing: is the same file as .env.production; expected a separate text file'],
  },
  {
    title: 'a .env under testing that cannot be used',
    base: 'testing',
    set: {},
    files: { '.env': FOLDER },
    lines: ['.env: is a folder; expected a separate text file'],
  },
  {
    title: 'a .env that never ends',
    base: 'development',
    set: {},
    files: { '.env': { linkTo: '/dev/zero' } },
    lines: ['.env: is a special file; expected a separate text file'],
  },
  {
    title: 'a huge .env',
    base: 'development',
    set: {},
    files: { '.env': '#'.repeat(262_145) },
    lines: ['.env: has 262145 bytes; expected a separate text file'],
  },
  {
    title: 'a .env file with a name that would forge a line',
    base: 'production',
    set: {},
    files: { '.env\nALL: is well': '' },
    lines: [
      '".env\\nALL: is well": is in the working folder, but production reads no .env file; expected only the process environment and NAME_FILE secrets',
    ],
  },
  {
    title: 'origins that no browser sends',
    base: 'development',
    set: { CORS_ORIGINS: 'https://*.corp.net' },
    lines: [
      'CORS_ORIGINS: is "https://*.corp.net"; expected * or origins such as https://app.example.com, separated by commas',
    ],
  },
  {
    title: 'a .env that is a folder',
    base: 'development',
    set: {},
    files: { '.env': FOLDER },
    lines: ['.env: is a folder; expected a separate text file'],
  },
  {
    title: 'a .env linked to nothing',
    base: 'development',
    set: {},
    files: { '.env': { linkTo: 'gone' } },
    lines: ['.env: is a link to nothing; expected a separate text file'],
  },
  {
    title: 'a .env that is not text',
    base: 'development',
    set: {},
    files: { '.env': Buffer.from([0x41, 0x3d, 0xff, 0xfe]) },
    lines: ['.env: is not UTF-8 text; expected a separate text file'],
  },
  {
    title: 'lines of .env that readers take differently',
    base: 'development',
    set: {},
    files: {
      '.env':
        'ENVIRONMENT=development\nHOST = ::1\nSECRET_KEY="a\nPORT=80$00\nDEBUG="a\\nb"\nLOG_LEVEL=info\nLOG_LEVEL=warn\nLOG_FORMAT=a b\nWITH_UI=\'true\'x\n',
    },
    lines: [
      '.env:2: is not a variable; expected NAME=value without export and without spaces around =',
      '.env:3: SECRET_KEY has no closing quote; expected a value on one line',
      '.env:4: PORT holds a $ that Compose replaces; expected a literal value',
      '.env:5: DEBUG holds a backslash in double quotes; expected a literal value',
      '.env:7: sets LOG_LEVEL again; expected each name once',
      '.env:8: LOG_FORMAT holds a space, a # or a quote; expected a quoted value',
      '.env:9: WITH_UI has text after its closing quote; expected a comment or nothing there',
    ],
  },
  {
    title: '.env files in the folder of preview',
    base: 'preview',
    set: {},
    files: { '.env': '', '.env.local': '', '.env.example': '' },
    lines: [
      '.env: is in the working folder, but preview reads no .env file; expected only the process environment and NAME_FILE secrets',
      '.env.local: is in the working folder, but preview reads no .env file; expected only the process environment and NAME_FILE secrets',
    ],
  },
  {
    title: 'a .env file in the folder of staging',
    base: 'staging',
    set: {},
    files: { '.env.staging': '' },
    lines: [
      '.env.staging: is in the working folder, but staging reads no .env file; expected only the process environment and NAME_FILE secrets',
    ],
  },
  {
    title: 'a .env file in the folder of production',
    base: 'production',
    set: {},
    files: { '.env.production': 'DEBUG=true\n' },
    lines: [
      '.env.production: is in the working folder, but production reads no .env file; expected only the process environment and NAME_FILE secrets',
    ],
  },
  {
    title: 'a dangling .env link in the folder of production',
    base: 'production',
    set: {},
    files: { '.env': { linkTo: 'gone' } },
    lines: [
      '.env: is in the working folder, but production reads no .env file; expected only the process environment and NAME_FILE secrets',
    ],
  },
  {
    title: 'two databases from two sources',
    base: 'development',
    set: {},
    files: {
      '.env':
        'ENVIRONMENT=development\nDATABASE_URL=postgres://a:b@127.0.0.1:5432/other\nREDIS_URL=redis://127.0.0.1:1/0\n',
    },
    lines: ['DATABASE_URL: is set in the process environment and in .env, with different values; expected one source'],
  },
  {
    title: 'two migration databases and two Redis from two sources',
    base: 'development',
    set: {
      DATABASE_MIGRATION_URL: 'postgres://m:p@127.0.0.1:15432/airlock_development',
      REDIS_URL: 'redis://127.0.0.1:6379/0',
    },
    files: {
      '.env':
        'ENVIRONMENT=development\nDATABASE_MIGRATION_URL=postgres://m:q@127.0.0.1:15432/airlock_development\nREDIS_URL=redis://127.0.0.1:6379/1\n',
    },
    lines: [
      'DATABASE_MIGRATION_URL: is set in the process environment and in .env, with different values; expected one source',
      'REDIS_URL: is set in the process environment and in .env, with different values; expected one source',
    ],
  },
  {
    title: 'a secret as value and as file',
    base: 'development',
    set: { SECRET_KEY: 'x', SECRET_KEY_FILE: 'key' },
    files: { key: 'x' },
    lines: ['SECRET_KEY: is set in the process environment and as SECRET_KEY_FILE; expected one source'],
  },
  {
    title: 'a secret file that does not exist',
    base: 'production',
    set: { SECRET_KEY: undefined, SECRET_KEY_FILE: 'gone' },
    lines: ['SECRET_KEY_FILE: names a file that does not exist; expected a readable text file of at most 65536 bytes'],
  },
  {
    title: 'a secret file that is a folder',
    base: 'production',
    set: { SECRET_KEY: undefined, SECRET_KEY_FILE: 'key' },
    files: { key: FOLDER },
    lines: ['SECRET_KEY_FILE: names a folder; expected a readable text file of at most 65536 bytes'],
  },
  {
    title: 'a secret file that is empty',
    base: 'production',
    set: { SECRET_KEY: undefined, SECRET_KEY_FILE: 'key' },
    files: { key: '' },
    lines: ['SECRET_KEY_FILE: names an empty file; expected a readable text file of at most 65536 bytes'],
  },
  {
    title: 'a secret file that holds a line end alone',
    base: 'production',
    set: { SECRET_KEY: undefined, SECRET_KEY_FILE: 'key' },
    files: { key: '\n' },
    lines: ['SECRET_KEY: is empty; expected a text of at most 4096 printable characters'],
  },
  {
    title: 'a secret file that is not text',
    base: 'production',
    set: { SECRET_KEY: undefined, SECRET_KEY_FILE: 'key' },
    files: { key: Buffer.from([0xff, 0xfe, 0x00]) },
    lines: [
      'SECRET_KEY_FILE: names a file that is not UTF-8 text; expected a readable text file of at most 65536 bytes',
    ],
  },
  {
    title: 'a secret file of two lines',
    base: 'production',
    set: { SECRET_KEY: undefined, SECRET_KEY_FILE: 'key' },
    files: { key: '9c4fa26835e0b1f7c29a4d8365b7e1d0\nmore\n' },
    lines: ['SECRET_KEY: is not valid; its value is not shown; expected a text of at most 4096 printable characters'],
  },
  {
    title: 'a huge secret file',
    base: 'production',
    set: { SECRET_KEY: undefined, SECRET_KEY_FILE: 'key' },
    files: { key: 'x'.repeat(65537) },
    lines: ['SECRET_KEY_FILE: names a file of 65537 bytes; expected a readable text file of at most 65536 bytes'],
  },
  {
    title: 'a special file as secret file',
    base: 'production',
    set: { SECRET_KEY: undefined, SECRET_KEY_FILE: '/dev/zero' },
    lines: ['SECRET_KEY_FILE: names a special file; expected a readable text file of at most 65536 bytes'],
  },
  {
    title: 'the secret itself where its path belongs',
    base: 'production',
    set: {
      DATABASE_URL: undefined,
      DATABASE_URL_FILE: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/airlock?sslmode=verify-full',
    },
    lines: [
      'DATABASE_URL_FILE: names a file that does not exist; expected a readable text file of at most 65536 bytes',
    ],
  },
  {
    title: 'a file for a variable that is not secret',
    base: 'production',
    set: { LOG_LEVEL_FILE: '/run/level' },
    lines: ['LOG_LEVEL_FILE: is set; expected LOG_LEVEL , because only secrets and certificates are read from files'],
  },
  {
    title: 'a file that would state the environment',
    base: 'production',
    set: { ENVIRONMENT_FILE: '.env.production' },
    lines: [
      'ENVIRONMENT_FILE: is set; expected ENVIRONMENT , because only secrets and certificates are read from files',
    ],
  },
  {
    title: 'a misspelt DATABASE_URL',
    base: 'development',
    set: { DATABASE_URL: undefined, DATABSE_URL: 'postgres://a:b@c:1/d' },
    lines: [
      'DATABASE_URL: is not set, but development requires it; expected your own value',
      'DATABSE_URL: is set in the process environment, and nothing reads it; expected DATABASE_URL',
    ],
  },
  {
    title: 'misspelt names of every kind',
    base: 'development',
    set: {
      LOGLEVEL: 'info',
      CORS_ORIGIN: '*',
      PROT: '80',
      REDIS_URI: 'x',
      database_url: 'x',
      SECRET_KYE_FILE: 'x',
      ENVIROMENT: 'x',
      'D\u0410TABASE_URL': 'x',
    },
    lines: [
      '"D\\u0410TABASE_URL": is set in the process environment, and nothing reads it; expected DATABASE_URL',
      'CORS_ORIGIN: is set in the process environment, and nothing reads it; expected CORS_ORIGINS',
      'database_url: is set in the process environment, and nothing reads it; expected DATABASE_URL',
      'ENVIROMENT: is set in the process environment, and nothing reads it; expected ENVIRONMENT',
      'LOGLEVEL: is set in the process environment, and nothing reads it; expected LOG_LEVEL',
      'PROT: is set in the process environment, and nothing reads it; expected PORT',
      'REDIS_URI: is set in the process environment, and nothing reads it; expected REDIS_URL',
      'SECRET_KYE_FILE: is set in the process environment, and nothing reads it; expected SECRET_KEY_FILE',
    ],
  },
  {
    title: 'a folder as the storage of staging',
    base: 'staging',
    set: { STORAGE_URL: 'file:./.airlock/files' },
    lines: [
      'STORAGE_URL: names a folder in staging, which ends with its container; expected a bucket: s3://access-key:secret-key@host:443/bucket',
    ],
  },
  {
    title: 'backups among the files of users',
    base: 'development',
    set: { STORAGE_URL: 'file:./.airlock/files', BACKUP_URL: 'file:./.airlock/files' },
    lines: [
      'BACKUP_URL: names the same place as STORAGE_URL; expected a bucket or folder that holds nothing but backups',
    ],
  },
  {
    title: 'the secret key of age as the public one, which is not shown',
    base: 'development',
    set: { BACKUP_RECIPIENTS: 'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ' },
    lines: [
      'BACKUP_RECIPIENTS: holds a text that is none; its value is not shown; expected public keys of age, separated by commas',
    ],
  },
  {
    title: 'a bucket in a test run',
    base: 'testing',
    set: { STORAGE_URL: 's3+http://key:x@127.0.0.1:9000/airlock-test' },
    lines: [
      'STORAGE_URL: names a bucket, which tests must not touch; expected a folder, such as file:/tmp/airlock-files',
    ],
  },
  {
    title: 'the bucket of production in development',
    base: 'development',
    set: { STORAGE_URL: 's3://key:x@s3.corp.net:443/airlock-production' },
    lines: [
      'STORAGE_URL: names the bucket airlock-production, and its word production belongs to another environment than development; expected the bucket of development',
    ],
  },
  {
    title: 'the bucket of production in preview, listed in PROTECTED_HOSTS',
    base: 'preview',
    set: {
      STORAGE_URL: 's3://key:Kd82mX0qLr5vTy7w@s3.corp.net:443/corp-files',
      PROTECTED_HOSTS: 'db.corp.net,corp-files.s3.corp.net',
    },
    lines: [
      'STORAGE_URL: names the host corp-files.s3.corp.net, which PROTECTED_HOSTS keeps from preview; expected a server of preview',
    ],
  },
  {
    title: 'the bucket of staging in production, without TLS, on this machine',
    base: 'production',
    set: { STORAGE_URL: 's3+http://key:Kd82mX0qLr5vTy7w@127.0.0.1:9000/files-stg' },
    lines: [
      'STORAGE_URL: connects to the host 127.0.0.1 without TLS; expected s3:// at its beginning',
      'STORAGE_URL: names the bucket files-stg, and its word stg belongs to another environment than production; expected the bucket of production',
      'STORAGE_URL: names the host 127.0.0.1, this machine, in production; expected the server of production',
    ],
  },
  {
    title: 'a storage with a placeholder as its key',
    base: 'staging',
    set: { STORAGE_URL: 's3://key:changethis@s3.corp.net:443/airlock-staging' },
    lines: [
      'STORAGE_URL: its password has 10 characters; expected at least 16',
      'STORAGE_URL: its password is a placeholder or comes from an example; expected your own random text',
    ],
  },
  {
    title: 'a misspelt name in .env',
    base: 'development',
    set: {},
    files: { '.env': 'ENVIRONMENT=development\nDATABASE_ULR=postgres://a:b@c:1/d\n' },
    lines: ['DATABASE_ULR: is set in .env, and nothing reads it; expected DATABASE_URL'],
  },
  {
    title: 'values of the wrong type',
    base: 'development',
    set: {
      PORT: '80a',
      WORKERS: '0',
      DEBUG: 'yes',
      LOG_LEVEL: 'INFO',
      REQUEST_TIMEOUT: '30',
      TRUSTED_PROXY_HOPS: '-1',
      SERVICE_NAME: 'My Service',
      HOST: '::1%lo',
      CORS_ORIGINS: 'https://a.example.com/',
      HTTP_CLIENT_MAX_RETRIES: '1e1',
    },
    lines: [
      'CORS_ORIGINS: is "https://a.example.com/"; expected * or origins such as https://app.example.com, separated by commas',
      'DEBUG: is "yes"; expected true or false',
      'HOST: is "::1%lo"; expected an IP address or host name to listen on',
      'HTTP_CLIENT_MAX_RETRIES: is "1e1"; expected a whole number from 0 to 10',
      'LOG_LEVEL: is "INFO"; expected trace, debug, info, warn, error or fatal',
      'PORT: is "80a"; expected a whole number from 0 to 65535',
      'REQUEST_TIMEOUT: is "30"; expected a duration of at most 1h such as 500ms, 30s or 5m',
      'SERVICE_NAME: is "My Service"; expected a lower-case name such as airlock-api',
      'TRUSTED_PROXY_HOPS: is "-1"; expected a whole number from 0 to 10',
      'WORKERS: is "0"; expected a whole number from 1 to 64',
    ],
  },
  {
    title: 'values that are empty or have white space around them',
    base: 'development',
    set: { LOG_LEVEL: '', PORT: ' 8000', LOG_FORMAT: 'json\r', SECRET_KEY: '', REDIS_URL: '' },
    lines: [
      'LOG_FORMAT: is "json\\r", which has white space around it; expected json or pretty',
      'LOG_LEVEL: is empty; expected trace, debug, info, warn, error or fatal',
      'PORT: is " 8000", which has white space around it; expected a whole number from 0 to 65535',
      'REDIS_URL: is empty; expected redis://host:6379/0 or rediss://user:password@host:6379/0',
      'SECRET_KEY: is empty; expected a text of at most 4096 printable characters',
    ],
  },
  {
    title: 'a secret in a variable that is not secret',
    base: 'development',
    set: { LOG_LEVEL: 'postgres://u:hunter2@h:1/d', SECRET_KEY: 'hunter2-hunter2', SERVICE_NAME: 'hunter2-hunter2!' },
    lines: [
      'LOG_LEVEL: is a value that may hold a secret; expected trace, debug, info, warn, error or fatal',
      'SERVICE_NAME: holds the value of SECRET_KEY, which is a secret; expected a value that is not secret',
    ],
  },
  {
    title: 'a huge value',
    base: 'development',
    set: { LOG_LEVEL: 'x'.repeat(5_000), CORS_ORIGINS: `${'https://a.corp.net,'.repeat(300)}https://b.corp.net` },
    lines: [
      'CORS_ORIGINS: is a text of 5718 characters; expected * or origins such as https://app.example.com, separated by commas',
      'LOG_LEVEL: is a text of 5000 characters; expected trace, debug, info, warn, error or fatal',
    ],
  },
  {
    title: 'a certificate that is a private key',
    base: 'production',
    set: { DATABASE_SSL_CA: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n' },
    lines: [
      'DATABASE_SSL_CA: holds a PEM block that is not a certificate, number 1 of 1; expected PEM certificates and no other PEM block',
    ],
  },
  {
    title: 'invalid build facts',
    base: 'production',
    set: { GIT_COMMIT: 'main', BUILD_TIME: 'today', IMAGE_DIGEST: 'latest', SENTRY_DSN: 'https://sentry.corp.net/1' },
    lines: [
      'BUILD_TIME: is "today"; expected a time such as 2026-01-31T12:00:00Z',
      'GIT_COMMIT: is "main"; expected a commit: 7 to 64 lower-case hexadecimal digits',
      'IMAGE_DIGEST: is "latest"; expected a digest: sha256: and 64 hexadecimal digits',
      'SENTRY_DSN: is not valid; its value is not shown; expected https://key@host/project',
    ],
  },
  {
    title: 'preview without what it needs',
    base: 'preview',
    set: {
      SECRET_KEY: undefined,
      DATABASE_URL: undefined,
      AUTH_ISSUER: undefined,
      AUTH_JWKS_URL: undefined,
      AUTH_AUTHORIZED_PARTIES: undefined,
    },
    lines: [
      'AUTH_AUTHORIZED_PARTIES: is not set, but preview requires it; expected a value such as https://app.example.com',
      'AUTH_ISSUER: is not set, but preview requires it; expected a value such as https://auth.example.com',
      'AUTH_JWKS_URL: is not set, but preview requires it; expected a value such as https://auth.example.com/.well-known/jwks.json',
      'DATABASE_URL: is not set, but preview requires it; expected your own value',
      'SECRET_KEY: is not set, but preview requires it; expected your own value',
    ],
  },
  {
    title: 'staging without Redis',
    base: 'staging',
    set: { REDIS_URL: undefined },
    lines: ['REDIS_URL: is not set, but staging requires it; expected your own value'],
  },
  {
    title: 'production without Redis',
    base: 'production',
    set: { REDIS_URL: undefined },
    lines: ['REDIS_URL: is not set, but production requires it; expected your own value'],
  },
  {
    title: 'debugging in production',
    base: 'production',
    set: { DEBUG: 'true', JOBS_IN_API: 'true', LOG_LEVEL: 'debug', TESTING: 'true', WITH_UI: 'true' },
    lines: [
      'DEBUG: is true in production, which shows internal errors to callers; expected false',
      'JOBS_IN_API: is true in production, where a long job would slow down requests; expected false, and a worker',
      'LOG_LEVEL: is debug in production, where logs must not contain user data; expected info, warn, error or fatal',
      'TESTING: is set in production; expected it to be unset',
      'WITH_UI: is true in production, which serves pages for developers to everyone; expected false',
    ],
  },
  {
    title: 'debugging in staging',
    base: 'staging',
    set: { DEBUG: 'true', LOG_LEVEL: 'trace', TESTING: 'false' },
    lines: [
      'DEBUG: is true in staging, which shows internal errors to callers; expected false',
      'LOG_LEVEL: is trace in staging, where logs must not contain user data; expected info, warn, error or fatal',
      'TESTING: is set in staging; expected it to be unset',
    ],
  },
  {
    title: 'TESTING in development',
    base: 'development',
    set: { TESTING: 'true' },
    lines: ['TESTING: is true in development; expected false, or unset'],
  },
  {
    title: 'TESTING=false in testing',
    base: 'testing',
    set: { TESTING: 'false' },
    lines: ['TESTING: is false in testing; expected true, or unset'],
  },
  {
    title: 'NODE_ENV=development in production',
    base: 'production',
    set: { NODE_ENV: 'development' },
    lines: ['NODE_ENV: is "development" in production; expected production, or unset'],
  },
  {
    title: 'NODE_ENV=production in testing',
    base: 'testing',
    set: { NODE_ENV: 'production' },
    lines: ['NODE_ENV: is "production" in testing; expected test, or unset'],
  },
  {
    title: 'wildcard and http origins',
    base: 'production',
    set: { CORS_ORIGINS: '*,http://app.corp.net,https://app.corp.net' },
    lines: [
      'CORS_ORIGINS: holds "http://app.corp.net" in production, whose pages an attacker in the network can change; expected only https origins',
      'CORS_ORIGINS: holds * in production, which lets every page call the API; expected the https origins of your own pages',
    ],
  },
  {
    title: 'a wildcard origin in staging',
    base: 'staging',
    set: { CORS_ORIGINS: '*' },
    lines: [
      'CORS_ORIGINS: holds * in staging, which lets every page call the API; expected the https origins of your own pages',
    ],
  },
  {
    title: 'a local issuer over http',
    base: 'production',
    set: { AUTH_ISSUER: 'http://localhost:9100', AUTH_JWKS_URL: 'http://id.corp.net/keys' },
    lines: [
      'AUTH_ISSUER: names this machine in production, so others could issue tokens; expected the https address of your identity provider',
      'AUTH_JWKS_URL: is not https in production, so others could issue tokens; expected the https address of your identity provider',
    ],
  },
  {
    title: 'random or shared ports',
    base: 'production',
    set: { PORT: '0', MANAGEMENT_PORT: '0' },
    lines: [
      'MANAGEMENT_PORT: is 0 in production, which selects a random port; expected a port from 1 to 65535',
      'PORT: is 0 in production, which selects a random port; expected a port from 1 to 65535',
    ],
  },
  {
    title: 'one port for users and metrics',
    base: 'development',
    set: { PORT: '9000' },
    lines: [
      'MANAGEMENT_PORT: is 9000, the same as PORT, which would publish metrics and detailed health; expected a separate port',
    ],
  },
  {
    title: 'a database on localhost',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@localhost:5432/airlock?sslmode=verify-full' },
    lines: ['DATABASE_URL: names the host localhost, this machine, in production; expected the server of production'],
  },
  {
    title: 'a database on 127.0.0.1',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@127.0.0.1:5432/airlock?sslmode=verify-full' },
    lines: ['DATABASE_URL: names the host 127.0.0.1, this machine, in production; expected the server of production'],
  },
  {
    title: 'a database on 127.1.2.3',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@127.1.2.3:5432/airlock?sslmode=verify-full' },
    lines: ['DATABASE_URL: names the host 127.1.2.3, this machine, in production; expected the server of production'],
  },
  {
    title: 'a database on [::1]',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@[::1]:5432/airlock?sslmode=verify-full' },
    lines: ['DATABASE_URL: names the host ::1, this machine, in production; expected the server of production'],
  },
  {
    title: 'a database on 0.0.0.0',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@0.0.0.0:5432/airlock?sslmode=verify-full' },
    lines: ['DATABASE_URL: names the host 0.0.0.0, this machine, in production; expected the server of production'],
  },
  {
    title: 'a database on localhost.',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@localhost.:5432/airlock?sslmode=verify-full' },
    lines: ['DATABASE_URL: names the host localhost., this machine, in production; expected the server of production'],
  },
  {
    title: 'a database on db.localhost',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.localhost:5432/airlock?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: names the host db.localhost, this machine, in production; expected the server of production',
    ],
  },
  {
    title: 'a database on [::ffff:7f00:1]',
    base: 'production',
    set: {
      DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@[::ffff:7f00:1]:5432/airlock?sslmode=verify-full',
    },
    lines: [
      'DATABASE_URL: names the host ::ffff:7f00:1, this machine, in production; expected the server of production',
    ],
  },
  {
    title: 'a database on host.docker.internal',
    base: 'production',
    set: {
      DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@host.docker.internal:5432/airlock?sslmode=verify-full',
    },
    lines: [
      'DATABASE_URL: names the host host.docker.internal, this machine, in production; expected the server of production',
    ],
  },
  {
    title: 'a database on the number 2130706433',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@2130706433:5432/airlock?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: has a host that is neither a name nor an address; expected a host name, an IPv4 address or an [IPv6] address',
    ],
  },
  {
    title: 'a database on the number 127.1',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@127.1:5432/airlock?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: has a host that is neither a name nor an address; expected a host name, an IPv4 address or an [IPv6] address',
    ],
  },
  {
    title: 'a database on the number 0x7f.1',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@0x7f.1:5432/airlock?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: has a host that is neither a name nor an address; expected a host name, an IPv4 address or an [IPv6] address',
    ],
  },
  {
    title: 'a database on the number 0x7f000001',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@0x7f000001:5432/airlock?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: has a host that is neither a name nor an address; expected a host name, an IPv4 address or an [IPv6] address',
    ],
  },
  {
    title: 'a database on the number 017700000001',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@017700000001:5432/airlock?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: has a host that is neither a name nor an address; expected a host name, an IPv4 address or an [IPv6] address',
    ],
  },
  {
    title: 'Redis on localhost',
    base: 'production',
    set: { REDIS_URL: 'redis://LOCALHOST:6379/0' },
    lines: ['REDIS_URL: names the host localhost, this machine, in production; expected the server of production'],
  },
  {
    title: 'Redis on ::1 in staging',
    base: 'staging',
    set: { REDIS_URL: 'redis://[::1]:6379/0' },
    lines: ['REDIS_URL: names the host ::1, this machine, in staging; expected the server of staging'],
  },
  {
    title: 'a database named airlock_test',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/airlock_test?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: names the database airlock_test, and its word test belongs to another environment than production; expected the database of production',
    ],
  },
  {
    title: 'a database named dev-airlock',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/dev-airlock?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: names the database dev-airlock, and its word dev belongs to another environment than production; expected the database of production',
    ],
  },
  {
    title: 'a database named AirlockTesting',
    base: 'production',
    set: {
      DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/AirlockTesting?sslmode=verify-full',
    },
    lines: [
      'DATABASE_URL: names the database AirlockTesting, and its word testing belongs to another environment than production; expected the database of production',
    ],
  },
  {
    title: 'a database named airlock_dev2',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/airlock_dev2?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: names the database airlock_dev2, and its word dev belongs to another environment than production; expected the database of production',
    ],
  },
  {
    title: 'a staging host in production',
    base: 'production',
    set: {
      DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.staging.corp.net:5432/airlock?sslmode=verify-full',
    },
    lines: [
      'DATABASE_URL: names the host db.staging.corp.net, and its word staging belongs to another environment than production; expected a server of production',
    ],
  },
  {
    title: 'a preview database in production',
    base: 'production',
    set: {
      DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/airlock_preview?sslmode=verify-full',
    },
    lines: [
      'DATABASE_URL: names the database airlock_preview, and its word preview belongs to another environment than production; expected the database of production',
    ],
  },
  {
    title: 'the production database in staging',
    base: 'staging',
    set: {
      DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@prod-db.corp.net:5432/airlock_prod?sslmode=verify-full',
    },
    lines: [
      'DATABASE_URL: names the database airlock_prod, and its word prod belongs to another environment than staging; expected the database of staging',
      'DATABASE_URL: names the host prod-db.corp.net, and its word prod belongs to another environment than staging; expected a server of staging',
    ],
  },
  {
    title: 'tests on a database named airlock',
    base: 'testing',
    set: { DATABASE_URL: 'postgres://a:b@127.0.0.1:5433/airlock' },
    lines: [
      'DATABASE_URL: names the database airlock, which tests must not touch; expected a name that ends in _test, such as airlock_test or airlock_test_w1',
    ],
  },
  {
    title: 'tests on a database whose clones have no room for a name',
    base: 'testing',
    set: { DATABASE_URL: `postgres://a:b@127.0.0.1:5433/${'a'.repeat(50)}_test` },
    lines: [
      'DATABASE_URL: names a database of 55 bytes; expected at most 54 in testing: PostgreSQL silently truncates longer derived names',
    ],
  },
  {
    title: 'a database whose owner role has no room for a name',
    base: 'development',
    set: { DATABASE_URL: `postgres://a:b@127.0.0.1:5433/${'a'.repeat(58)}` },
    lines: [
      'DATABASE_URL: names a database of 58 bytes; expected at most 57 in development: PostgreSQL silently truncates longer derived names',
    ],
  },
  {
    title: 'tests on a database named latest',
    base: 'testing',
    set: { DATABASE_URL: 'postgres://a:b@127.0.0.1:5433/latest' },
    lines: [
      'DATABASE_URL: names the database latest, which tests must not touch; expected a name that ends in _test, such as airlock_test or airlock_test_w1',
    ],
  },
  {
    title: 'tests on a database named contest',
    base: 'testing',
    set: { DATABASE_URL: 'postgres://a:b@127.0.0.1:5433/contest' },
    lines: [
      'DATABASE_URL: names the database contest, which tests must not touch; expected a name that ends in _test, such as airlock_test or airlock_test_w1',
    ],
  },
  {
    title: 'tests on a database named airlock_prod_test',
    base: 'testing',
    set: { DATABASE_URL: 'postgres://a:b@127.0.0.1:5433/airlock_prod_test' },
    lines: [
      'DATABASE_URL: names the database airlock_prod_test, and its word prod belongs to another environment than testing; expected the database of testing',
      'DATABASE_URL: names the database airlock_prod_test, which tests must not touch; expected a name that ends in _test, such as airlock_test or airlock_test_w1',
    ],
  },
  {
    title: 'tests on a database named test_airlock',
    base: 'testing',
    set: { DATABASE_URL: 'postgres://a:b@127.0.0.1:5433/test_airlock' },
    lines: [
      'DATABASE_URL: names the database test_airlock, which tests must not touch; expected a name that ends in _test, such as airlock_test or airlock_test_w1',
    ],
  },
  {
    title: 'tests on a database named airlock_testing',
    base: 'testing',
    set: { DATABASE_URL: 'postgres://a:b@127.0.0.1:5433/airlock_testing' },
    lines: [
      'DATABASE_URL: names the database airlock_testing, which tests must not touch; expected a name that ends in _test, such as airlock_test or airlock_test_w1',
    ],
  },
  {
    title: 'tests on a database named airlock_test2',
    base: 'testing',
    set: { DATABASE_URL: 'postgres://a:b@127.0.0.1:5433/airlock_test2' },
    lines: [
      'DATABASE_URL: names the database airlock_test2, which tests must not touch; expected a name that ends in _test, such as airlock_test or airlock_test_w1',
    ],
  },
  {
    title: 'tests on a database named AIRLOCK_TEST',
    base: 'testing',
    set: { DATABASE_URL: 'postgres://a:b@127.0.0.1:5433/AIRLOCK_TEST' },
    lines: [
      'DATABASE_URL: names the database AIRLOCK_TEST, which tests must not touch; expected a name that ends in _test, such as airlock_test or airlock_test_w1',
    ],
  },
  {
    title: 'tests on a host with a production word',
    base: 'testing',
    set: { DATABASE_URL: 'postgres://a:b@db-prod1.corp.net:5432/airlock_test' },
    lines: [
      'DATABASE_URL: names the host db-prod1.corp.net, and its word prod belongs to another environment than testing; expected a server of testing',
    ],
  },
  {
    title: 'a query in testing',
    base: 'testing',
    set: { DATABASE_URL: 'postgres://a:b@127.0.0.1:5433/airlock_test?sslmode=disable' },
    lines: ['DATABASE_URL: has a query; expected nothing after the name of the database'],
  },
  {
    title: 'a migrator outside the tests',
    base: 'testing',
    set: { DATABASE_MIGRATION_URL: 'postgres://a:b@127.0.0.1:5433/airlock' },
    lines: [
      'DATABASE_MIGRATION_URL: names the database airlock, but DATABASE_URL names airlock_test; expected the same database in both',
      'DATABASE_MIGRATION_URL: names the database airlock, which tests must not touch; expected a name that ends in _test, such as airlock_test or airlock_test_w1',
    ],
  },
  {
    title: 'the staging host in preview',
    base: 'preview',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.staging.corp.net:5432/airlock_preview' },
    lines: [
      'DATABASE_URL: names the host db.staging.corp.net, and its word staging belongs to another environment than preview; expected a server of preview',
    ],
  },
  {
    title: 'a protected host in preview',
    base: 'preview',
    set: {
      DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@10.1.2.3:5432/airlock_preview',
      REDIS_URL: 'redis://DB.corp.net.:6379',
      PROTECTED_HOSTS: 'db.corp.net,10.1.0.0/16',
    },
    lines: [
      'DATABASE_URL: names the host 10.1.2.3, which PROTECTED_HOSTS keeps from preview; expected a server of preview',
      'REDIS_URL: names the host db.corp.net., which PROTECTED_HOSTS keeps from preview; expected a server of preview',
    ],
  },
  {
    title: 'the production database in development',
    base: 'development',
    set: { DATABASE_URL: 'postgres://a:b@db.corp.net:5432/airlock_production' },
    lines: [
      'DATABASE_URL: names the database airlock_production, and its word production belongs to another environment than development; expected the database of development',
    ],
  },
  {
    title: 'a database without TLS',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/airlock' },
    lines: ['DATABASE_URL: connects to the host db.corp.net without TLS; expected ?sslmode=verify-full at its end'],
  },
  {
    title: 'a database without TLS outside the private networks',
    base: 'production',
    set: {
      DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@10.0.0.5:5432/airlock?sslmode=disable',
      PRIVATE_NETWORKS: '10.1.0.0/16,*.internal',
    },
    lines: ['DATABASE_URL: connects to the host 10.0.0.5 without TLS; expected ?sslmode=verify-full at its end'],
  },
  {
    title: 'private networks that are public',
    base: 'production',
    set: {
      DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/airlock',
      PRIVATE_NETWORKS: '0.0.0.0/0,*.net,::/0,10.0.0.0/4',
    },
    lines: [
      'PRIVATE_NETWORKS: holds "::/0", which includes public hosts; expected private blocks such as 10.0.0.0/8, host names, and suffixes such as *.internal',
      'PRIVATE_NETWORKS: holds "*.net", which includes public hosts; expected private blocks such as 10.0.0.0/8, host names, and suffixes such as *.internal',
      'PRIVATE_NETWORKS: holds "0.0.0.0/0", which includes public hosts; expected private blocks such as 10.0.0.0/8, host names, and suffixes such as *.internal',
      'PRIVATE_NETWORKS: holds "10.0.0.0/4", which includes public hosts; expected private blocks such as 10.0.0.0/8, host names, and suffixes such as *.internal',
    ],
  },
  {
    title: 'invalid private networks',
    base: 'production',
    set: { PRIVATE_NETWORKS: '10.0.0.0/33, 10.0.0.0/8' },
    lines: [
      'PRIVATE_NETWORKS: is "10.0.0.0/33, 10.0.0.0/8"; expected host names, *.suffixes or CIDR blocks, separated by commas',
    ],
  },
  {
    title: 'an authority that nothing uses',
    base: 'development',
    set: { DATABASE_SSL_CA: certificate },
    lines: [
      'DATABASE_SSL_CA: is set, but no database address verifies a certificate; expected ?sslmode=verify-full in DATABASE_URL',
    ],
  },
  {
    title: 'the embedded server in production',
    base: 'production',
    set: { DATABASE_SERVER: 'embedded' },
    lines: ['DATABASE_SERVER: is embedded in production; expected external'],
  },
  {
    title: 'the embedded server on another host',
    base: 'development',
    set: { DATABASE_SERVER: 'embedded', DATABASE_URL: 'postgres://a:b@localhost:5432/airlock_development' },
    lines: ['DATABASE_URL: names the host localhost, but DATABASE_SERVER is embedded; expected the host 127.0.0.1'],
  },
  {
    title: 'a migrator of another database',
    base: 'development',
    set: { DATABASE_MIGRATION_URL: 'postgres://m:b@127.0.0.1:15432/airlock_other' },
    lines: [
      'DATABASE_MIGRATION_URL: names the database airlock_other, but DATABASE_URL names airlock_development; expected the same database in both',
    ],
  },
  {
    title: 'one role for application and migrator',
    base: 'production',
    set: {
      DATABASE_MIGRATION_URL: 'postgres://airlock_app:Xk2v0qXZr8bYt5Lw@db.corp.net:5432/airlock?sslmode=verify-full',
    },
    lines: [
      'DATABASE_MIGRATION_URL: connects as airlock_app, the role of DATABASE_URL, in production; expected a separate role, so that the application cannot change the schema',
    ],
  },
  {
    title: 'the superuser as application',
    base: 'production',
    set: { DATABASE_URL: 'postgres://postgres:wNk3v0qXZr8bYt5L@db.corp.net:5432/airlock?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: connects as postgres, the superuser, in production; expected a role with only the required rights',
    ],
  },
  {
    title: 'the example secret',
    base: 'production',
    set: { SECRET_KEY: 'changethis-with-openssl-rand-hex-32' },
    lines: ['SECRET_KEY: is a placeholder or comes from an example; expected your own random text'],
  },
  {
    title: 'a short secret',
    base: 'production',
    set: { SECRET_KEY: '9c4fa26835e0b1f7' },
    lines: ['SECRET_KEY: has 16 characters; expected at least 32'],
  },
  {
    title: 'a secret of two characters',
    base: 'production',
    set: { SECRET_KEY: 'abababababababababababababababababababab' },
    lines: ['SECRET_KEY: has 2 different characters; expected at least 8'],
  },
  {
    title: 'weak passwords',
    base: 'production',
    set: {
      DATABASE_URL: 'postgres://airlock_app:My-Pass_Word-is-long!@db.corp.net:5432/airlock?sslmode=verify-full',
      REDIS_URL: 'rediss://:short@redis.corp.net:6379/0',
    },
    lines: [
      'DATABASE_URL: its password is a placeholder or comes from an example; expected your own random text',
      'REDIS_URL: its password has 5 characters; expected at least 16',
      'REDIS_URL: its password has 5 different characters; expected at least 8',
    ],
  },
  {
    title: 'a placeholder in preview',
    base: 'preview',
    set: { DATABASE_URL: 'postgres://airlock_app:changethis@postgres:5432/airlock_preview' },
    lines: [
      'DATABASE_URL: its password has 10 characters; expected at least 16',
      'DATABASE_URL: its password is a placeholder or comes from an example; expected your own random text',
    ],
  },
  {
    title: 'one password for database and Redis',
    base: 'production',
    set: { REDIS_URL: 'rediss://:wNk3v0qXZr8bYt5L@redis.corp.net:6379/0' },
    lines: [
      'REDIS_URL: its password is the same as that of DATABASE_URL; expected a different secret for each variable',
    ],
  },
  {
    title: 'a shutdown that does not fit',
    base: 'production',
    set: { SHUTDOWN_DRAIN: '10500ms' },
    lines: [
      'SHUTDOWN_GRACE: is 45s, so the platform kills the process before the shutdown ends; expected at least 45500ms: SHUTDOWN_DRAIN + SHUTDOWN_REQUESTS + SHUTDOWN_TEARDOWN + 5s',
    ],
  },
  {
    title: 'requests longer than the shutdown waits',
    base: 'production',
    set: { REQUEST_TIMEOUT: '30s' },
    lines: [
      'REQUEST_TIMEOUT: is 30s, above SHUTDOWN_REQUESTS of 25s: requests in flight would be aborted at shutdown; expected at most 25s',
    ],
  },
  {
    title: 'timeouts in the wrong order',
    base: 'development',
    set: { DATABASE_STATEMENT_TIMEOUT: '2m', DATABASE_LOCK_TIMEOUT: '3m' },
    lines: [
      'DATABASE_LOCK_TIMEOUT: is 180s, above DATABASE_STATEMENT_TIMEOUT of 120s: a lock timeout would be reported as a slow statement; expected at most 120s',
      'DATABASE_STATEMENT_TIMEOUT: is 120s, above REQUEST_TIMEOUT of 60s: the database would keep working for a request that has ended; expected at most 60s',
    ],
  },
  {
    title: 'timeouts without a limit',
    base: 'development',
    set: { HTTP_CLIENT_TIMEOUT: '0s', DATABASE_STATEMENT_TIMEOUT: '0ms' },
    lines: [
      'DATABASE_STATEMENT_TIMEOUT: is 0, which means no limit; expected a duration such as 5s',
      'HTTP_CLIENT_TIMEOUT: is 0, which means no limit; expected a duration such as 5s',
    ],
  },
  {
    title: 'a database address with a host in the query',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/airlock?host=other' },
    lines: [
      'DATABASE_URL: has host in its query; expected nothing after ? but sslmode=disable or sslmode=require or sslmode=verify-full',
    ],
  },
  {
    title: 'a database address with sslmode twice',
    base: 'production',
    set: {
      DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/airlock?sslmode=require&sslmode=disable',
    },
    lines: [
      'DATABASE_URL: has sslmode twice in its query; expected nothing after ? but sslmode=disable or sslmode=require or sslmode=verify-full',
    ],
  },
  {
    title: 'a database address with an sslmode of libpq',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/airlock?sslmode=prefer' },
    lines: [
      'DATABASE_URL: has another sslmode in its query; expected nothing after ? but sslmode=disable or sslmode=require or sslmode=verify-full',
    ],
  },
  {
    title: 'a database address with a fragment',
    base: 'production',
    set: { DATABASE_URL: 'postgres://u:p@prod#@db.corp.net:5432/airlock' },
    lines: ['DATABASE_URL: holds a #, which starts a fragment; expected the escape %23 in user or password'],
  },
  {
    title: 'a database address with two hosts',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@a,b:5432/airlock?sslmode=verify-full' },
    lines: ['DATABASE_URL: holds one of \\ , " < > ^ ` { | }; expected percent escapes for these in user or password'],
  },
  {
    title: 'a database address with a backslash',
    base: 'production',
    set: { DATABASE_URL: 'postgres://u:p@db.corp.net:5432\\@prod/airlock' },
    lines: ['DATABASE_URL: holds one of \\ , " < > ^ ` { | }; expected percent escapes for these in user or password'],
  },
  {
    title: 'a database address with no database',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/?sslmode=verify-full' },
    lines: ['DATABASE_URL: names no database; expected postgres://user:password@host:5432/database'],
  },
  {
    title: 'a database address with an escaped database name',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/%61irlock?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: has a database name that parsers read differently; expected at most 63 letters, digits, _ and - after the last slash, without escapes',
    ],
  },
  {
    title: 'a database address with two slashes',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432//airlock?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: has a database name that parsers read differently; expected at most 63 letters, digits, _ and - after the last slash, without escapes',
    ],
  },
  {
    title: 'a database address with no port',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net/airlock?sslmode=verify-full' },
    lines: ['DATABASE_URL: has no port; expected postgres://user:password@host:5432/database'],
  },
  {
    title: 'a database address with port 0',
    base: 'production',
    set: { DATABASE_URL: 'postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:0/airlock?sslmode=verify-full' },
    lines: ['DATABASE_URL: has no valid port; expected a port from 1 to 65535'],
  },
  {
    title: 'a database address with no password',
    base: 'production',
    set: { DATABASE_URL: 'postgres://u@db.corp.net:5432/airlock' },
    lines: ['DATABASE_URL: holds no password; expected postgres://user:password@host:5432/database'],
  },
  {
    title: 'a database address with no user',
    base: 'production',
    set: { DATABASE_URL: 'postgres://:p@db.corp.net:5432/airlock' },
    lines: ['DATABASE_URL: names no user; expected postgres://user:password@host:5432/database'],
  },
  {
    title: 'a database address with a socket',
    base: 'production',
    set: { DATABASE_URL: 'postgres:///airlock?host=/run/postgresql' },
    lines: [
      'DATABASE_URL: has host in its query; expected nothing after ? but sslmode=disable or sslmode=require or sslmode=verify-full',
      'DATABASE_URL: has no port; expected postgres://user:password@host:5432/database',
      'DATABASE_URL: names no host; expected postgres://user:password@host:5432/database',
      'DATABASE_URL: names no user; expected postgres://user:password@host:5432/database',
    ],
  },
  {
    title: 'a database address with another scheme',
    base: 'production',
    set: { DATABASE_URL: 'mysql://u:p@h:1/d' },
    lines: [
      'DATABASE_URL: does not start with postgres:// or postgresql://; expected postgres://user:password@host:5432/database',
    ],
  },
  {
    title: 'a database address with a second @',
    base: 'production',
    set: { DATABASE_URL: 'postgres://u:p@x@db.corp.net:5432/airlock' },
    lines: ['DATABASE_URL: has an @ in user or password; expected the escape %40 there'],
  },
  {
    title: 'a database address with an escaped NUL',
    base: 'production',
    set: { DATABASE_URL: 'postgres://u:p%00@db.corp.net:5432/airlock' },
    lines: ['DATABASE_URL: has an escaped control character in user or password; expected printable characters'],
  },
  {
    title: 'a database address with a space in front',
    base: 'production',
    set: { DATABASE_URL: ' postgres://airlock_app:wNk3v0qXZr8bYt5L@db.corp.net:5432/airlock?sslmode=verify-full' },
    lines: [
      'DATABASE_URL: is not valid; its value is not shown, which has white space around it; expected postgres://user:password@host:5432/database',
    ],
  },
  {
    title: 'a Redis address of another scheme',
    base: 'production',
    set: { REDIS_URL: 'http://redis.corp.net:6379' },
    lines: [
      'REDIS_URL: does not start with redis:// or rediss://; expected redis://host:6379/0 or rediss://user:password@host:6379/0',
    ],
  },
  {
    title: 'a Redis address with a query',
    base: 'production',
    set: { REDIS_URL: 'redis://redis.corp.net:6379/0?db=1' },
    lines: [
      'REDIS_URL: has a query, which overrides options of the client; expected redis://host:6379/0 or rediss://user:password@host:6379/0',
    ],
  },
  {
    title: 'an address as Neon gives it for its pooler, without a port',
    base: 'production',
    set: {
      DATABASE_URL:
        'postgres://airlock_app:wNk3v0qXZr8bYt5L@ep-calm-bird-123456-pooler.us-east-2.aws.neon.tech/airlock?sslmode=require&channel_binding=require',
    },
    lines: [
      'DATABASE_URL: has channel_binding in its query; expected nothing after ? but sslmode=disable or sslmode=require or sslmode=verify-full',
      'DATABASE_URL: has no port; expected postgres://user:password@host:5432/database',
      'DATABASE_URL: names the host of a connection pooler; expected the host of PostgreSQL itself, see docs/poolers.md',
    ],
  },
  {
    title: 'the pooler of Supabase and the parameters of a driver',
    base: 'staging',
    set: {
      DATABASE_URL:
        'postgres://airlock_app:wNk3v0qXZr8bYt5L@aws-0-eu.pooler.supabase.com:6543/airlock?pgbouncer=true&connection_limit=1&x5LqWz=y',
    },
    lines: [
      'DATABASE_URL: has pgbouncer and connection_limit and an unknown parameter in its query; expected nothing after ? but sslmode=disable or sslmode=require or sslmode=verify-full',
      'DATABASE_URL: names the host of a connection pooler; expected the host of PostgreSQL itself, see docs/poolers.md',
    ],
  },
  {
    title: 'RDS Proxy, and a migrator behind a pooler in a container',
    base: 'preview',
    set: {
      DATABASE_URL:
        'postgres://airlock_app:wNk3v0qXZr8bYt5L@app.proxy-c1a2b3.eu-west-1.rds.amazonaws.com:5432/airlock_preview',
      DATABASE_MIGRATION_URL: 'postgres://airlock_migrator:Zk3v0qXZr8bYt5Lw@pgbouncer:5432/airlock_preview',
    },
    lines: [
      'DATABASE_MIGRATION_URL: names the host of a connection pooler; expected the host of PostgreSQL itself, see docs/poolers.md',
      'DATABASE_URL: names the host of a connection pooler; expected the host of PostgreSQL itself, see docs/poolers.md',
    ],
  },
  {
    title: 'the port of PgBouncer',
    base: 'development',
    set: { DATABASE_URL: 'postgres://airlock_app:p@127.0.0.1:6432/airlock_development' },
    lines: [
      'DATABASE_URL: names the port 6432 of a connection pooler; expected the port of PostgreSQL itself, usually 5432',
    ],
  },
  {
    title: 'the port of PgBouncer, with a query and without a user',
    base: 'production',
    set: { DATABASE_URL: 'postgres://db.corp.net:6432/airlock?sslrootcert=system' },
    lines: [
      'DATABASE_URL: has sslrootcert in its query; expected nothing after ? but sslmode=disable or sslmode=require or sslmode=verify-full',
      'DATABASE_URL: names no user; expected postgres://user:password@host:5432/database',
      'DATABASE_URL: names the port 6432 of a connection pooler; expected the port of PostgreSQL itself, usually 5432',
    ],
  },
  {
    title: 'a Redis address with a query and a wrong index',
    base: 'staging',
    set: { REDIS_URL: 'rediss://:Yt5LwNk3v0qXZr8b@redis.staging.corp.net:6379/abc?db=1' },
    lines: [
      'REDIS_URL: has a query, which overrides options of the client; expected redis://host:6379/0 or rediss://user:password@host:6379/0',
      'REDIS_URL: has no valid database index; expected redis://host:6379/0 or rediss://user:password@host:6379/0',
    ],
  },
  {
    title: 'a certificate bundle whose second block is damaged',
    base: 'production',
    set: { DATABASE_SSL_CA_FILE: 'ca.pem' },
    files: { 'ca.pem': `${certificate}${certificate.replace('MIIBhTCC', 'MIIBhTCD')}${certificate}` },
    lines: [
      'DATABASE_SSL_CA: holds a PEM block that is damaged, number 2 of 3; expected PEM certificates and no other PEM block',
    ],
  },
  {
    title: 'a drain in development whose requests have less time than they may take',
    base: 'development',
    set: { SHUTDOWN_DRAIN: '1s', SHUTDOWN_GRACE: '20s' },
    lines: [
      'REQUEST_TIMEOUT: is 60s, above SHUTDOWN_REQUESTS of 3s: requests in flight would be aborted at shutdown; expected at most 3s',
    ],
  },
  {
    title: 'a drain in testing, and no time for requests',
    base: 'testing',
    set: { SHUTDOWN_DRAIN: '1ms', SHUTDOWN_REQUESTS: '0s' },
    lines: [
      'REQUEST_TIMEOUT: is 15s, above SHUTDOWN_REQUESTS of 0s: requests in flight would be aborted at shutdown; expected at most 0s',
    ],
  },
  {
    title: 'a formatter that the image does not contain',
    base: 'preview',
    set: { LOG_FORMAT: 'pretty' },
    lines: ['LOG_FORMAT: is pretty in preview, whose image does not contain the formatter; expected json'],
  },
  {
    title: 'HOST 999.1.1.1, on which nothing can listen',
    base: 'development',
    set: { HOST: '999.1.1.1' },
    lines: ['HOST: is "999.1.1.1"; expected an IP address or host name to listen on'],
  },
  {
    title: 'HOST a..b, on which nothing can listen',
    base: 'development',
    set: { HOST: 'a..b' },
    lines: ['HOST: is "a..b"; expected an IP address or host name to listen on'],
  },
  {
    title: 'HOST :::, on which nothing can listen',
    base: 'development',
    set: { HOST: ':::' },
    lines: ['HOST: is ":::"; expected an IP address or host name to listen on'],
  },
  {
    title: 'TLS that accepts any certificate',
    base: 'production',
    set: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    lines: [
      'NODE_TLS_REJECT_UNAUTHORIZED: is 0 in production, so any certificate is accepted, even for the identity provider; expected it to be unset',
    ],
  },
  {
    title: 'options of Node that weaken it, among harmless ones',
    base: 'staging',
    set: {
      NODE_OPTIONS:
        '--max-old-space-size=512 --tls-min-v1.0 --inspect=0.0.0.0:9229 --insecure_http_parser -r ./a.js --import "data:text/javascript,x y" --tls-keylog=/tmp/k --enable-source-maps',
    },
    lines: [
      'NODE_OPTIONS: holds --import in staging; expected options of memory, warnings and source maps, such as --max-old-space-size=512',
      'NODE_OPTIONS: holds --insecure-http-parser in staging; expected options of memory, warnings and source maps, such as --max-old-space-size=512',
      'NODE_OPTIONS: holds --inspect in staging; expected options of memory, warnings and source maps, such as --max-old-space-size=512',
      'NODE_OPTIONS: holds --tls-keylog in staging; expected options of memory, warnings and source maps, such as --max-old-space-size=512',
      'NODE_OPTIONS: holds --tls-min-v1.0 in staging; expected options of memory, warnings and source maps, such as --max-old-space-size=512',
      'NODE_OPTIONS: holds -r in staging; expected options of memory, warnings and source maps, such as --max-old-space-size=512',
    ],
  },
  {
    title: 'options of Node in their other spelling',
    base: 'preview',
    set: { NODE_OPTIONS: '--trace-tls --trace_sigint' },
    lines: [
      'NODE_OPTIONS: holds --trace-sigint in preview; expected options of memory, warnings and source maps, such as --max-old-space-size=512',
      'NODE_OPTIONS: holds --trace-tls in preview; expected options of memory, warnings and source maps, such as --max-old-space-size=512',
    ],
  },
  {
    title: 'authorities for Node that do not exist',
    base: 'production',
    set: { NODE_EXTRA_CA_CERTS: 'gone.pem' },
    lines: [
      'NODE_EXTRA_CA_CERTS: names a file that does not exist; expected a readable text file of at most 1048576 bytes',
    ],
  },
  {
    title: 'authorities for Node without a certificate',
    base: 'staging',
    set: { NODE_EXTRA_CA_CERTS: 'ca.pem' },
    files: { 'ca.pem': 'hello' },
    lines: [
      'NODE_EXTRA_CA_CERTS: names a file that holds no certificate in staging; expected a file of PEM certificates',
    ],
  },
  {
    title: 'keys and traffic in logs',
    base: 'production',
    set: { SSLKEYLOGFILE: '/tmp/keys', NODE_DEBUG: 'airlock,tls', NODE_V8_COVERAGE: '/tmp' },
    lines: [
      'NODE_DEBUG: is set in production, and writes secrets to logs or files; expected it to be unset',
      'NODE_V8_COVERAGE: is set in production, and writes secrets to logs or files; expected it to be unset',
      'SSLKEYLOGFILE: is set in production, and writes secrets to logs or files; expected it to be unset',
    ],
  },
  {
    title: 'the rules of TLS and code from elsewhere',
    base: 'production',
    set: {
      OPENSSL_CONF: '/tmp/o.cnf',
      PGSSLMODE: 'disable',
      PGSSLROOTCERT: '/x',
      NODE_PATH: '/tmp',
    },
    lines: [
      'NODE_PATH: is set in production; Node or a library may read it, bypassing this configuration; expected it to be unset',
      'OPENSSL_CONF: is set in production; Node or a library may read it, bypassing this configuration; expected it to be unset',
      'PGSSLMODE: is set in production; Node or a library may read it, bypassing this configuration; expected it to be unset',
      'PGSSLROOTCERT: is set in production; Node or a library may read it, bypassing this configuration; expected it to be unset',
    ],
  },
  {
    title: 'a provider without the rest',
    base: 'production',
    set: { CONNECTION_PROVIDERS: provider('https://login.corp.net') },
    lines: [
      'CALLBACK_URL: is not set, but CONNECTION_PROVIDERS is; expected your own value',
      'CONNECTION_KEYS: is not set, but CONNECTION_PROVIDERS is; expected your own value',
      'CONNECTIONS_PAGE: is not set, but CONNECTION_PROVIDERS is; expected your own value',
    ],
  },
  {
    title: 'a provider of a laptop in staging',
    base: 'staging',
    set: {
      CONNECTION_PROVIDERS: provider('http://localhost:9100'),
      CONNECTION_KEYS: 'k3v0qXzR8bYt5LwN4fa26835e0b1f7c2',
      CALLBACK_URL: 'http://callback.corp.net',
      CONNECTIONS_PAGE: 'https://app.corp.net/connections',
    },
    lines: [
      'CALLBACK_URL: is not safe in staging: others could read tokens or take the place of the server; expected a public https address',
      'CONNECTION_PROVIDERS: the issuer of acme is not safe in staging: others could read tokens or take the place of the server; expected a public https address',
    ],
  },
  {
    title: 'a provider without TLS in another network',
    base: 'development',
    set: {
      CONNECTION_PROVIDERS: provider('http://login.corp.net'),
      CONNECTION_KEYS: 'key',
      CALLBACK_URL: 'http://127.0.0.1:8182',
      CONNECTIONS_PAGE: 'http://localhost:3000/connections',
    },
    lines: [
      'CONNECTION_PROVIDERS: the issuer of acme is not safe in development: others could read tokens or take the place of the server; expected https, or http on this machine',
    ],
  },
  {
    title: 'providers that are not a list of providers',
    base: 'testing',
    set: {
      CONNECTION_PROVIDERS: provider('https://login.corp.net?x=1'),
      CONNECTION_KEYS: 'a,,b',
      CALLBACK_URL: 'callback',
    },
    lines: [
      'CALLBACK_URL: is "callback"; expected an address such as https://example.com/path',
      'CONNECTION_KEYS: is not valid; its value is not shown; expected 1 to 4 keys, separated by commas',
      'CONNECTION_PROVIDERS: is not valid at 0.issuer; its value is not shown; expected a JSON list of { "name", "issuer", "clientId", "clientSecret", "scopes" }, each name once, each with the scope openid',
    ],
  },
  {
    title: 'outside hosts for tests',
    base: 'testing',
    set: { OUTBOUND_HOSTS: 'api.corp.net' },
    lines: ['OUTBOUND_HOSTS: is set in testing, which reaches no outside host; expected it to be unset'],
  },
  {
    title: 'every outside host in staging',
    base: 'staging',
    set: { OUTBOUND_HOSTS: '*,*.com,8.0.0.0/8,api.corp.net' },
    lines: [
      'OUTBOUND_HOSTS: holds "*.com" in staging, which includes hosts of other people; expected host names, and suffixes of your own domains such as *.example.com',
      'OUTBOUND_HOSTS: holds "*" in staging, which includes hosts of other people; expected host names, and suffixes of your own domains such as *.example.com',
      'OUTBOUND_HOSTS: holds "8.0.0.0/8" in staging, which includes hosts of other people; expected host names, and suffixes of your own domains such as *.example.com',
    ],
  },
  {
    title: 'a protected host among the outside hosts',
    base: 'preview',
    set: { OUTBOUND_HOSTS: 'api.corp.net,*.corp.org', PROTECTED_HOSTS: 'api.corp.net,corp.org' },
    lines: [
      'OUTBOUND_HOSTS: holds "*.corp.org", which PROTECTED_HOSTS keeps from preview; expected hosts that preview may use',
      'OUTBOUND_HOSTS: holds "api.corp.net", which PROTECTED_HOSTS keeps from preview; expected hosts that preview may use',
    ],
  },
  {
    title: 'a proxy in production',
    base: 'production',
    set: { OUTBOUND_PROXY: 'http://outbound:3128' },
    lines: ['OUTBOUND_PROXY: is set in production, whose connections need no proxy; expected it to be unset'],
  },
  {
    title: 'a proxy for tests',
    base: 'testing',
    set: { OUTBOUND_PROXY: 'http://outbound:3128' },
    lines: ['OUTBOUND_PROXY: is set in testing, whose connections need no proxy; expected it to be unset'],
  },
  ...['http://proxy.corp.net:3128', 'https://outbound:3128', 'http://outbound:3128/path'].map(
    (address): BadEnvironment => ({
      title: `the proxy ${address}`,
      base: 'staging',
      set: { OUTBOUND_PROXY: address },
      lines: [
        `OUTBOUND_PROXY: is "${address}"; expected the proxy of this system in its own network, such as http://outbound:3128`,
      ],
    }),
  ),
  {
    title: 'a real mail server in development',
    base: 'development',
    set: { SMTP_URL: 'smtp://airlock:p@smtp.corp.net:587' },
    lines: [
      'SMTP_URL: names a server that sends mail, in development; expected a mail catcher, such as catcher://127.0.0.1:1025',
    ],
  },
  {
    title: 'a mail catcher in production',
    base: 'production',
    set: { SMTP_URL: 'catcher://mailpit:1025' },
    lines: [
      'SMTP_URL: names a mail catcher in production, so no mail would arrive; expected the server that sends your mail',
    ],
  },
  {
    title: 'a real mail server that is called a catcher',
    base: 'preview',
    set: { SMTP_URL: 'catcher://smtp.corp.net:25' },
    lines: [
      'SMTP_URL: names the mail catcher smtp.corp.net, which may be a public host; expected a catcher on this machine or in the private network, such as catcher://mailpit:1025',
    ],
  },
  {
    title: 'the mail server of production, a path and a query in staging',
    base: 'staging',
    set: { SMTP_URL: 'smtps://airlock:rZ8bYt5LwNk3v0qXq@smtp.prod.corp.net:465', MAIL_FROM: 'a@corp.net' },
    lines: [
      'SMTP_URL: names the host smtp.prod.corp.net, and its word prod belongs to another environment than staging; expected a server of staging',
    ],
  },
  {
    title: 'a mail server with a path, a query and a weak password',
    base: 'staging',
    set: { SMTP_URL: 'smtps://airlock:short@smtp.corp.net:465/x?tls=no' },
    lines: [
      'SMTP_URL: has a path; expected smtp://user:password@host:587, smtps://user:password@host:465 or catcher://host:1025',
      'SMTP_URL: has a query, which overrides options of the client; expected smtp://user:password@host:587, smtps://user:password@host:465 or catcher://host:1025',
    ],
  },
  {
    title: 'mail without a sender, by a server with a weak password',
    base: 'production',
    set: { SMTP_URL: 'smtp://airlock:b8Yt5Lw@smtp.corp.net:587' },
    lines: [
      'MAIL_FROM: is an address at localhost, which other servers refuse; expected an address at your own domain',
      'SMTP_URL: its password has 7 characters; expected at least 16',
      'SMTP_URL: its password has 7 different characters; expected at least 8',
    ],
  },
  {
    title: 'a sender that adds a recipient',
    base: 'production',
    set: { MAIL_FROM: 'a@corp.net, b@corp.net' },
    lines: ['MAIL_FROM: is a value that may hold a secret; expected a mail address such as no-reply@example.com'],
  },
];

function provider(issuer: string): string {
  const clientSecret = 'wNk3v0qXZr8bYt5L4fa2';
  return JSON.stringify([{ name: 'acme', issuer, clientId: 'airlock', clientSecret, scopes: ['openid'] }]);
}
