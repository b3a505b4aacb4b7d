import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

jest.setTimeout(180_000);

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const COPIED = ['apps/api/src', 'apps/api/package.json', 'apps/api/tsconfig.json', 'tsconfig.base.json'];

describe('docs/adding-a-resource.md', () => {
  let copy: string;
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'adding-a-resource-'));
    // What ships: the tests have packages of their own.
    const isSource = (path: string) => !/(\.spec\.ts|\/src\/testing)$/.test(path);
    for (const path of COPIED) cpSync(join(ROOT, path), join(copy, path), { recursive: true, filter: isSource });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it('has commands that make a second resource, which compiles', () => {
    const text = readFileSync(join(ROOT, 'docs/adding-a-resource.md'), 'utf8');
    const commands = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => block);
    expect(commands).toHaveLength(3);
    execFileSync('bash', ['-euo', 'pipefail', '-c', commands.join('\n')], { cwd: copy, stdio: 'pipe' });
    const controllers = readFileSync(join(copy, 'apps/api/src/controllers.ts'), 'utf8');
    expect(controllers).toContain('[EntitiesController, NotesController]');
    expect(readFileSync(join(copy, 'apps/api/src/app.module.ts'), 'utf8')).toContain('        NotesModule,');
    expect(readFileSync(join(copy, 'apps/api/src/notes/notes.repository.ts'), 'utf8')).toContain('FROM notes');
  });
});
