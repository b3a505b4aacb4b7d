import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MAIN, saves } from './saves.fixture.js';
import { WatchedFolder } from './watched-folder.fixture.js';
import { ROOT } from './workspace.js';

const LIMIT_MS = 30_000;
const INDEX = 'libs/health/src/index.ts';

let folder: WatchedFolder;
let at: (path: string) => string;

beforeEach(() => {
  folder = new WatchedFolder();
  at = (path) => join(folder.root, path);
});

afterEach(() => folder.close());

describe('watchFiles', () => {
  it.each(Object.entries(saves))(
    'reports a save that was made %s, twice, and the next one in place',
    async (_, save) => {
      for (const way of [save, save, saves['in place']]) await folder.expectEdits([MAIN], () => way?.(folder));
    },
  );

  it('reports the last of many saves in a row', async () => {
    for (let round = 0; round < 4; round += 1) {
      await folder.expectEdits([MAIN], async () => {
        for (let save = 0; save < 50; save += 1) {
          folder.save(MAIN);
          await sleep(save % 5);
        }
        await sleep(300);
        folder.edits.length = 0;
        folder.save(MAIN);
      });
    }
  });

  it('reports all files of one command, such as a formatter, at once', async () => {
    const paths = Array.from({ length: 100 }, (_, index) => `apps/api/src/many/file-${index}.ts`);
    for (let round = 0; round < 2; round += 1) {
      await folder.expectEdits(paths, () => paths.forEach((path) => folder.save(path)));
    }
  });

  it.each(['libs/health/src', 'libs/health', 'libs', 'apps/api/src/http'])(
    'tells edits in %s after it was moved away and back',
    async (path) => {
      const file = path.startsWith('libs') ? INDEX : 'apps/api/src/http/server.ts';
      await folder.expectEdits([file], () => renameSync(at(path), at('aside')));
      await folder.expectEdits([file], () => renameSync(at('aside'), at(path)));
      await folder.expectEdits([file], () => folder.save(file));
    },
  );

  it('reports edits in a folder that was removed and recreated', async () => {
    for (let round = 0; round < 3; round += 1) {
      await folder.expectEdits([INDEX], () => rmSync(at('libs/health/src'), { recursive: true }));
      await folder.expectEdits([INDEX], () => folder.save(INDEX));
      await folder.expectEdits([INDEX], () => folder.save(INDEX));
    }
  });

  it('reports edits in a folder that was replaced between two comparisons', async () => {
    await folder.expectEdits([INDEX], () => {
      rmSync(at('libs/health/src'), { recursive: true });
      folder.save(INDEX);
    });
    await folder.expectEdits([INDEX], () => folder.save(INDEX));
  });

  it('reports edits in new folders, in a new library, and after a library was renamed', async () => {
    const deep = 'apps/api/src/notes/http/deep/note.ts';
    await folder.expectEdits([deep], () => folder.save(deep));
    await folder.expectEdits([deep], () => folder.save(deep));
    await folder.expectEdits(['libs/mail/src/index.ts'], () => folder.save('libs/mail/src/index.ts'));
    await folder.expectEdits(['libs/post/src/index.ts'], () => renameSync(at('libs/mail'), at('libs/post')));
    await folder.expectEdits(['libs/post/src/index.ts'], () => folder.save('libs/post/src/index.ts'));
  });

  it('reports edits in a linked folder, and does not follow links in circles', async () => {
    mkdirSync(at('shared'));
    copyFileSync(at(MAIN), at('shared/a.ts'));
    await folder.expectEdits(['apps/api/src/shared/a.ts'], () => {
      symlinkSync(at('shared'), at('apps/api/src/shared'));
      symlinkSync('..', at('shared/up'));
      symlinkSync('../../..', at('apps/api/src/http/up'));
    });
    await folder.expectEdits(['apps/api/src/shared/a.ts'], () => folder.save('shared/a.ts'));
  });

  it.each([
    '.env',
    '.env.development',
    'apps/api/package.json',
    'libs/health/package.json',
    'tsconfig.base.json',
    'tools/swc-options.mjs',
    'package-lock.json',
    'node_modules/.package-lock.json',
  ])('reports an edit of %s, which the API depends on', async (path) => {
    await folder.expectEdits([path], () => folder.save(path));
  });

  it('does not report edits of tests or other files, or reads', async () => {
    const edits = await folder.listEditsBeside(() => {
      folder.save('apps/api/src/main.spec.ts');
      folder.save('apps/api/src/.main.ts.swp');
      folder.save('apps/api/src/main.ts~');
      folder.save('apps/api/README.md');
      folder.save('.env.example');
      readFileSync(at(MAIN));
    });
    expect(edits).toEqual([]);
  });

  it('reports nothing after its end', async () => {
    await folder.close();
    folder.edits.length = 0;
    folder.save(MAIN);
    await sleep(500);
    expect(folder.edits).toEqual([]);
  });
});

describe('watchFiles at the limit of watches of the system', () => {
  it.each([
    ['max_inotify_watches', 4, 'ENOSPC', 'fs.inotify.max_user_watches'],
    ['max_inotify_instances', 0, 'EMFILE', 'fs.inotify.max_user_instances'],
  ])(
    '%s: reports the limit once with the command that raises it, and still reports every edit',
    async (limit, to, code, sysctl) => {
      const watcher = watchWithLimit(limit, to);
      try {
        await watcher.until(/^Watching files: /m);
        for (let save = 0; save < 3; save += 1) {
          folder.save(MAIN);
          await watcher.until(new RegExp(`(edited ${MAIN}\\n){${save + 1}}`));
        }
        expect(watcher.output().split('\n').slice(0, 3)).toEqual([
          expect.stringMatching(
            new RegExp(`^Watching files: ${sysctl} \\(\\d+\\) is reached \\(${code}\\); expected a limit`),
          ),
          '  Edits are still served: the files are compared four times a second instead.',
          expect.stringMatching(new RegExp(`^  To raise the limit: sudo sysctl ${sysctl}=\\d+$`)),
        ]);
        expect(watcher.output().match(/Watching files/g)).toHaveLength(1);
      } finally {
        await watcher.end();
      }
    },
  );

  /** A user namespace lowers the limit for this process only, without privileges. */
  function watchWithLimit(name: string, value: number) {
    const script =
      `const { watchFiles } = await import(${JSON.stringify(join(ROOT, 'apps/cli/src/serve/watch-files.ts'))});` +
      `watchFiles({ app: 'apps/api', root: ${JSON.stringify(folder.root)} }, (paths) => console.log('edited ' + paths.join()));`;
    const node = [
      process.execPath,
      '--import',
      join(ROOT, 'tools/typescript.mjs'),
      '--input-type=module',
      '-e',
      script,
    ];
    const lower = `echo ${value} >/proc/sys/user/${name} && exec "$@"`;
    const child = spawn('unshare', ['--user', '--map-root-user', 'sh', '-c', lower, 'sh', ...node]);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return {
      output: () => text,
      until: async (pattern: RegExp) => {
        for (const start = Date.now(); !pattern.test(text); await sleep(20)) {
          if (child.exitCode !== null || Date.now() - start > LIMIT_MS)
            throw new Error(`ended with ${child.exitCode}: ${text}`);
        }
      },
      end: async () => {
        if (child.exitCode !== null) return;
        child.kill();
        await once(child, 'exit');
      },
    };
  }
});
