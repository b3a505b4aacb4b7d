import { formatAll } from './format.js';
import { spell } from './resource-names.js';
import {
  assertProjectName,
  type CreatedProject,
  describePackage,
  type NewProject,
  SCOPE,
  writeProject,
} from './workspace-project.js';
import { WORKSPACE_ROOT } from './workspace-root.js';
import type { FileChange } from './write-all.js';

/**
 * Creates a program beside the API: it loads the configuration, asks the database, and gives its work a signal that SIGINT and
 * SIGTERM abort.
 * @throws AuthoringRefusal
 */
export async function createProgram({
  root = WORKSPACE_ROOT,
  name,
}: {
  root?: string;
  name: string;
}): Promise<CreatedProject> {
  const project: NewProject = {
    folder: 'apps',
    name,
    dependencies: ['config', 'database'],
    devDependencies: ['database-dev'],
    call: `run${spell(name).pascal}`,
  };
  assertProjectName(root, project, 'reports');
  return writeProject(root, project, await formatAll(root, draftFiles(project)));
}

function draftFiles(project: NewProject): FileChange[] {
  const { name } = project;
  const { dependencies, devDependencies, ...described } = describePackage(project);
  const start = { command: `node --import ./tools/typescript.mjs apps/${name}/src/main.ts`, cache: false };
  const manifest = {
    ...described,
    private: true,
    type: 'module',
    nx: { name, tags: ['layer:app'], targets: { build: {}, test: {}, start } },
    dependencies,
    devDependencies,
  };
  const texts = {
    'package.json': JSON.stringify(manifest, null, 2),
    'tsconfig.json': `{ "extends": "../../tsconfig.base.json", "include": ["src"] }`,
    'jest.config.mjs': `import { presetWithServers } from '../../tools/jest.preset.mjs';\n\nexport default { ...presetWithServers, displayName: '${name}' };`,
    'README.md': `# ${name}\n\nIts purpose, in one sentence.\n\n\`\`\`sh\nnx start ${name}   # with the database of make dev\n\`\`\`\n`,
    'src/main.ts': MAIN(project),
    [`src/${name}.ts`]: WORK(project),
    [`src/${name}.spec.ts`]: SPEC(project),
  };
  return Object.entries(texts).map(([path, text]) => ({ path: `apps/${name}/${path}`, text }));
}

const MAIN = ({ name, call }: NewProject) => `import { ConfigError } from '${SCOPE}/config';
import { loadConfig } from '${SCOPE}/config/loading';
import { ${call} } from './${name}.js';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
try {
  console.log(JSON.stringify({ event: '${name}.done', ...(await ${call}(loadConfig(), stop.signal)) }));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof ConfigError ? error.exitCode : 1;
}
`;

const WORK = ({ name, call }: NewProject) => `import type { Config } from '${SCOPE}/config';
import { withClient } from '${SCOPE}/database';

/** Replace this with the work of the program. It should end early when \`signal\` is aborted. */
export function ${call}(config: Config, signal: AbortSignal): Promise<{ readonly database: string }> {
  return withClient(config.database.app, { config, purpose: '${name}' }, async (client) => {
    signal.throwIfAborted();
    const { rows } = await client.query<{ database: string }>('SELECT current_database() AS database');
    return { database: rows[0]?.database ?? '' };
  });
}
`;

const SPEC = ({ name, call }: NewProject) => `import { describe, expect, it } from '@jest/globals';
import { useTestDatabase } from '${SCOPE}/database-dev/testing';
import { ${call} } from './${name}.js';

describe('${call}', () => {
  const database = useTestDatabase();

  it('asks the database of its configuration', async () => {
    const { signal } = new AbortController();
    expect(await ${call}(database.config, signal)).toEqual({ database: database.name });
  });

  it('does nothing after it was told to stop', async () => {
    await expect(${call}(database.config, AbortSignal.abort())).rejects.toThrow('aborted');
  });
});
`;
