// Lint rules against code that could change a schema, or reach a database past the strict parser and the stamp.

/** They create sessions from discrete fields; all other code calls them. */
export const MAY_CONNECT = [
  'libs/database/src/connect/client.ts',
  'libs/database/src/connect/data-source.ts',
  // Tries passwords and sockets that no configuration accepts.
  'libs/embedded-postgres/src/cluster.spec.ts',
];
/** They may load code that exists only in the workspace. */
export const MAY_USE_TESTING = [
  '**/*.spec.ts',
  '**/*.fixture.ts',
  'libs/{authoring,database-dev,embedded-postgres}/**',
  'apps/cli/src/commands/db-{adopt,drift,lint,reset-test}.ts',
  'apps/cli/src/commands/new-*.ts',
  'apps/api/src/documents/**',
  'apps/cli/src/serve/**',
  'bench/**',
];

const key = (names) => [`Property[key.name=/^(${names})$/]`, `Property[key.value=/^(${names})$/]`];
const forbid = (selectors, message) => selectors.map((selector) => ({ selector, message }));

const reshaping = forbid(
  [
    ...key('synchronize|dropSchema|migrationsRun'),
    'CallExpression[callee.property.name=/^(synchronize|dropDatabase|dropSchema|runMigrations|undoLastMigration|clearDatabase)$/]',
  ],
  'TypeORM never changes a schema here: write a migration (airlock new migration NAME).',
);
const elsewhere = forbid(
  [...key('connectionString|extra|replication')],
  'createClientOptions creates connections from discrete fields; a connection string or `extra` would override them.',
);
const connecting = forbid(
  [
    'NewExpression[callee.name=/^(Client|Pool|DataSource)$/]',
    'NewExpression[callee.property.name=/^(Client|Pool|DataSource)$/]',
    'CallExpression[callee.object.name="TypeOrmModule"][callee.property.name=/^forRoot/]',
  ],
  'Use withClient, createDataSource or DatabaseModule of @airlock/database: they connect as the config says.',
);
// A selector's regular expression cannot contain a slash; \u002f is one.
const loadingTests = forbid(
  [
    'ImportDeclaration[source.value=/^@airlock\\u002f(authoring|database-dev|embedded-postgres|database\\u002f(internal|fixtures|sample)|service\\u002f(documents|testing))/][importKind!="type"]',
    'ImportExpression[source.value=/^@airlock\\u002f(authoring|database-dev|embedded-postgres|database\\u002f(internal|fixtures|sample)|service\\u002f(documents|testing))/]',
  ],
  'Code that ships cannot load this: it exists only in the workspace.',
);

const rule = (...groups) => ({ 'no-restricted-syntax': ['error', ...groups.flat()] });

/** For eslint.config.mjs, where the last block that matches a file applies. */
export const databaseSafety = [
  { files: ['**/*.ts'], rules: rule(reshaping, elsewhere, connecting, loadingTests) },
  { files: MAY_USE_TESTING, rules: rule(reshaping, elsewhere, connecting) },
  { files: MAY_CONNECT, rules: rule(reshaping, elsewhere) },
  // Sets `replication` to the value that makes pg ignore PGREPLICATION.
  { files: ['libs/database/src/connect/client-options.ts'], rules: rule(reshaping, connecting, loadingTests) },
  { files: ['libs/database/src/connect/database.module.ts'], rules: rule(reshaping, elsewhere, loadingTests) },
  // Contains the options that the types must reject.
  { files: ['libs/database/src/connect/safety.spec.ts'], rules: { 'no-restricted-syntax': 'off' } },
];
