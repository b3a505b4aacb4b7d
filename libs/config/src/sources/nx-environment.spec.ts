import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { withFolder } from '../testing/index.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const NAMES = [
  'AUTH_AUTHORIZED_PARTIES',
  'AUTH_ISSUER',
  'CORS_ORIGINS',
  'DATABASE_MIGRATION_URL',
  'DATABASE_URL',
  'LOG_LEVEL',
  'REDIS_URL',
  'SECRET_KEY',
  'SENTRY_DSN',
  'SERVICE_NAME',
] as const;
const PRINT = `
  const { inspectConfig } = await import(${JSON.stringify(join(ROOT, 'libs/config/src/load/inspect-config.ts'))});
  const { texts, violations } = inspectConfig({ cwd: process.env.HERE });
  const sources = ${JSON.stringify(NAMES)}.map((name) => [name, texts.get(name)]);
  console.log('<<' + JSON.stringify({ sources, doubles: violations.filter(({ problem }) => problem.includes('is set in')) }) + '>>');
`;

const FILE = `ENVIRONMENT=development
AUTH_AUTHORIZED_PARTIES='app$one,\${HOME},\\$two,$SERVICE_NAME'
AUTH_ISSUER='https://auth.example.com/$HOME/x'
CORS_ORIGINS=http://localhost:3000 # a comment
DATABASE_URL='postgres://app:a$b\${c:-d}@127.0.0.1:5432/airlock_development'
DATABASE_MIGRATION_URL="postgres://m:'b'@127.0.0.1:5432/airlock_development"   
LOG_LEVEL=debug
REDIS_URL='redis://:$$p$@127.0.0.1:6379/0'
SECRET_KEY='$SECRET_KEY\`#~'
SENTRY_DSN='https://key@sentry.example.com/1\\$'
SERVICE_NAME=airlock-api
`;

/** Values that would be used if they reached the task like variables exported by the user. */
const FILES_OF_NX = Object.fromEntries(
  [
    '.env.local',
    '.local.env',
    '.env.print',
    '.print.env',
    '.env.print.local',
    'apps/api/.env',
    'apps/api/.env.print',
  ].map((name) => [name, "LOG_LEVEL='warn$HOME'\nREDIS_URL=redis://other:6379/0\n"]),
);

describe('the configuration under Nx', () => {
  it.each([
    ['.env', { '.env': FILE }, {}],
    ['.env.development', { '.env.development': FILE }, { ENVIRONMENT: 'development' }],
    [
      '.env where variables that it names are exported',
      { '.env': FILE },
      { one: '1', b: '2', SERVICE_NAME: 'exported', LOG_LEVEL: 'info' },
    ],
    ['.env next to files that only Nx reads', { '.env': FILE, ...FILES_OF_NX }, {}],
    ['.env if the user tells Nx not to load it', { '.env': FILE }, { NX_LOAD_DOT_ENV_FILES: 'false' }],
  ])('is the same as without Nx for %s', async (_case, files: Record<string, string>, exported) => {
    const [direct, underNx] = await withFolder({}, async (root) => {
      makeWorkspace(root, files);
      return [await printDirectly(root, exported), await printUnderNx(root, exported)];
    });
    expect(underNx).toEqual(direct);
    expect(direct).toContain('"app$one,${HOME},\\\\$two,$SERVICE_NAME"');
    expect(direct).toContain('"doubles":[]');
  });
});

function makeWorkspace(root: string, envFiles: Record<string, string>): void {
  const files = {
    ...envFiles,
    'nx.json': { analytics: false, neverConnectToCloud: true, useDaemonProcess: false, tui: { enabled: false } },
    'package.json': { name: 'workspace', private: true, workspaces: ['apps/*'] },
    'apps/api/package.json': {
      name: '@workspace/api',
      nx: {
        name: 'api',
        targets: { print: { command: 'node --import "$HOOKS" --input-type=module --eval "$PRINT"' } },
      },
    },
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
}

async function printDirectly(root: string, exported: Record<string, string>): Promise<string> {
  const env = surroundings(root, exported);
  const args = ['--import', env.HOOKS, '--input-type=module', '--eval', PRINT];
  return pickPrinted(await promisify(execFile)(process.execPath, args, { cwd: root, env }));
}

async function printUnderNx(root: string, exported: Record<string, string>): Promise<string> {
  const nx = join(ROOT, 'node_modules/nx/dist/bin/nx.js');
  return pickPrinted(
    await promisify(execFile)(process.execPath, [nx, 'run', 'api:print'], {
      cwd: root,
      env: surroundings(root, exported),
    }),
  );
}

function surroundings(root: string, exported: Record<string, string>) {
  const PATH = `${dirname(process.execPath)}:/usr/bin:/bin`;
  return {
    PATH,
    HERE: root,
    HOME: root,
    HOOKS: join(ROOT, 'tools/typescript.mjs'),
    NX_ISOLATE_PLUGINS: 'false',
    PRINT,
    ...exported,
  };
}

function pickPrinted({ stdout }: { stdout: string }): string {
  return /<<(.*)>>/.exec(stdout)?.[1] ?? stdout;
}
