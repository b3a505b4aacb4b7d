import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';
import { databaseSafety } from './tools/database-safety.mjs';
import { environmentTraits } from './tools/environment-traits.mjs';

/**
 * Dependencies point in one direction: apps → deploy, and apps → provider-connections → service → health → database →
 * config. Code that never ships is outside of that order. The model belongs to the product: apps pass it to the
 * libraries, which cannot import it.
 */
const layers = [
  {
    sourceTag: 'layer:app',
    onlyDependOnLibsWithTags: [
      'backups',
      'provider-connections',
      'storage',
      'jobs',
      'service',
      'deploy',
      'health',
      'model',
      'database',
      'database-dev',
      'authoring',
      'embedded',
      'config',
    ].map((name) => `layer:${name}`),
  },
  {
    sourceTag: 'layer:backups',
    onlyDependOnLibsWithTags: ['storage', 'database', 'embedded', 'config'].map((name) => `layer:${name}`),
  },
  { sourceTag: 'layer:storage', onlyDependOnLibsWithTags: ['layer:config'] },
  {
    sourceTag: 'layer:provider-connections',
    onlyDependOnLibsWithTags: ['service', 'model', 'database', 'database-dev', 'config'].map((name) => `layer:${name}`),
  },
  {
    sourceTag: 'layer:jobs',
    onlyDependOnLibsWithTags: ['provider-connections', 'service', 'model', 'database-dev', 'config'].map(
      (name) => `layer:${name}`,
    ),
  },
  {
    sourceTag: 'layer:service',
    onlyDependOnLibsWithTags: ['layer:storage', 'layer:health', 'layer:database', 'layer:database-dev', 'layer:config'],
  },
  { sourceTag: 'layer:deploy', onlyDependOnLibsWithTags: ['layer:config'] },
  {
    sourceTag: 'layer:model',
    onlyDependOnLibsWithTags: ['database', 'database-dev', 'embedded', 'config'].map((name) => `layer:${name}`),
  },
  { sourceTag: 'layer:health', onlyDependOnLibsWithTags: ['layer:database', 'layer:config'] },
  { sourceTag: 'layer:authoring', onlyDependOnLibsWithTags: ['layer:database'] },
  { sourceTag: 'layer:database-dev', onlyDependOnLibsWithTags: ['layer:database', 'layer:embedded', 'layer:config'] },
  { sourceTag: 'layer:database', onlyDependOnLibsWithTags: ['layer:embedded', 'layer:config'] },
  { sourceTag: 'layer:embedded', onlyDependOnLibsWithTags: ['layer:config'] },
  { sourceTag: 'layer:config', onlyDependOnLibsWithTags: [] },
  {
    sourceTag: 'layer:check',
    onlyDependOnLibsWithTags: ['layer:model', 'layer:deploy', 'layer:database', 'layer:embedded', 'layer:config'],
  },
];

/** These files pass a secret on to the code that needs it. Everywhere else a secret stays wrapped. */
const MAY_REVEAL = [
  '**/*.spec.ts',
  'apps/api/src/testing/**',
  'libs/provider-connections/src/keyring.ts',
  'libs/provider-connections/src/provider.ts',
  'libs/service/src/data/cursor.ts',
  'libs/service/src/mail/smtp.ts',
  'libs/service/src/outbound/own-hosts.ts',
  'libs/service/src/outbound/http-peer.ts',
  'libs/service/src/redis/redis.ts',
  'libs/service/src/signatures/signature-check.ts',
  'libs/service/src/telemetry/error-reports.ts',
  'libs/service/src/testing/**',
  'libs/backups/src/tools/start-tool.ts',
  'libs/backups/src/encryption.ts',
  'libs/storage/src/bucket-backend.ts',
  'libs/deploy/src/registry/authorised-fetch.ts',
  'libs/config/src/rules/secret-rules.ts',
  'libs/database/src/connect/client-options.ts',
  'libs/database/src/provision/provision.ts',
  'libs/database/src/refresh/refresh.ts',
  'libs/database-dev/src/testing/**',
];
const MAY_READ_PROCESS_ENV = ['libs/config/src/sources/process-environment.ts'];

const noProcessEnv = {
  object: 'process',
  property: 'env',
  message: 'Only libs/config/src/sources/process-environment.ts reads process.env; use the config instead.',
};
const noProcessImport = { name: 'node:process', importNames: ['env', 'default'] };
const noReveal = {
  property: 'reveal',
  message: 'A secret stays wrapped; if this file must pass it on, list it in MAY_REVEAL in eslint.config.mjs.',
};

export default tseslint.config(
  { ignores: ['**/dist/', '**/coverage/', '**/node_modules/', '.nx/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: 'tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { enforceBuildableLibDependency: false, allow: [], depConstraints: layers },
      ],
      // Nest modules are classes that contain only their decorator.
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', noProcessEnv, noReveal],
      'no-restricted-imports': ['error', { paths: [noProcessImport] }],
    },
  },
  {
    files: ['libs/model/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [noProcessImport],
          patterns: [
            {
              regex: '^@airlock/(?!database/model$)',
              message:
                'A model imports types and definers only from @airlock/database/model; apps pass the model to all other code.',
            },
          ],
        },
      ],
    },
  },
  { files: MAY_REVEAL, rules: { 'no-restricted-properties': ['error', noProcessEnv] } },
  { files: MAY_READ_PROCESS_ENV, rules: { 'no-restricted-properties': ['error', noReveal] } },
  ...databaseSafety,
  ...environmentTraits,
  prettier,
);
