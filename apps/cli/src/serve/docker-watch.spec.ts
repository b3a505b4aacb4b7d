import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DockerWatch } from './docker-watch.fixture.js';
import { MAIN, saves } from './saves.fixture.js';
import { WatchedFolder } from './watched-folder.fixture.js';

const INDEX = 'libs/health/src/index.ts';
const MANIFEST = 'libs/health/package.json';
const SERVER = 'apps/api/src/http/server.ts';
const TOOLS = { 'tools/typescript.mjs': '' };
const SERVING = "console.log('api ' + process.pid); setInterval(() => undefined, 1_000);";
const RESTART = '  To start it without an edit: docker compose restart api\n';

let folder: WatchedFolder;
let watch: DockerWatch;

afterEach(() => folder.close());

/** Starts it with this API, and waits until the API has printed something. */
async function watchApi(main: string, printed = /^api \d+$/m): Promise<void> {
  folder = new WatchedFolder(
    (root, edits) => {
      watch = new DockerWatch(root, edits);
      return () => watch.close();
    },
    { ...TOOLS, [MAIN]: main },
  );
  await watch.until(printed);
}

describe('docker/watch.mjs', () => {
  it.each(Object.entries(saves))(
    'serves a save that was made %s, twice, and the next one in place',
    async (_, save) => {
      await watchApi('main', /The API exited/);
      for (const way of [save, save, saves['in place']]) await folder.expectEdits([MAIN], () => way?.(folder));
    },
  );

  it.each([
    ['libs/health/src', INDEX],
    ['libs/health', MANIFEST],
    ['libs', MANIFEST],
    ['apps/api/src/http', SERVER],
  ])('serves edits in %s after it was moved away and back', async (path, first) => {
    await watchApi(SERVING);
    const [at, aside] = [folder.at(path), folder.at('aside')];
    await folder.expectEdits([first], () => renameSync(at, aside));
    await folder.expectEdits([first], () => renameSync(aside, at));
    await folder.expectEdits([first], () => folder.save(first));
  });

  it('serves edits in a folder that was removed and recreated, or replaced between two comparisons', async () => {
    await watchApi(SERVING);
    const remove = () => rmSync(folder.at('libs/health/src'), { recursive: true });
    await folder.expectEdits([INDEX], remove);
    await folder.expectEdits([INDEX], () => folder.save(INDEX));
    await folder.expectEdits([INDEX], () => {
      remove();
      folder.save(INDEX);
    });
    await folder.expectEdits([INDEX], () => folder.save(INDEX));
  });

  it('serves edits in new folders and in a new library, and none of tests', async () => {
    await watchApi(SERVING);
    for (const path of ['apps/api/src/notes/deep/note.ts', 'libs/mail/src/index.ts']) {
      await folder.expectEdits([path], () => folder.save(path));
      await folder.expectEdits([path], () => folder.save(path));
    }
    expect(await folder.listEditsBeside(() => folder.save('apps/api/src/main.spec.ts'))).toEqual([]);
  });

  it('serves an edit although another file is written all the time', async () => {
    await watchApi(SERVING);
    const writer = spawn('sh', ['-c', 'while :; do echo >>"$0"; done', folder.at(SERVER)]);
    try {
      await folder.expectEdits([SERVER], () => undefined);
    } finally {
      writer.kill();
      await once(writer, 'exit');
    }
  });

  it('reports a path that cannot be read, once, and a mounted folder that was emptied', async () => {
    await watchApi(SERVING);
    symlinkSync('loop.ts', folder.at('libs/health/src/loop.ts'));
    await watch.until(/^libs\/health\/src\/loop\.ts: cannot be read \(ELOOP\), so edits there are not served; /m);
    await folder.expectEdits([INDEX], () => rmSync(folder.at('libs/health/src'), { recursive: true }));
    await watch.until(/^libs\/health\/src: has no files any more; .*\n {2}docker compose restart api$/m);
    expect(watch.output.match(/cannot be read/g)).toHaveLength(1);
  });
});

describe('docker/watch.mjs and the end of its API', () => {
  it.each(['SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGABRT'] as const)(
    'reports that it was ended by %s, and starts it again at the next edit',
    async (signal) => {
      await watchApi(SERVING);
      const first = watch.api;
      process.kill(first, signal);
      await watch.until(/start it without an edit/);
      const hint =
        '  The system sends SIGKILL when memory runs out: free memory, or raise the limit of the container in compose.override.yml.\n';
      expect(watch.output).toContain(
        `The API exited (${signal}). Waiting for the next edit.\n${signal === 'SIGKILL' ? hint : ''}${RESTART}`,
      );
      await folder.expectEdits([SERVER], () => folder.save(SERVER));
      await watch.until(new RegExp(`^api (?!${first}$)\\d+$`, 'm'));
    },
  );

  it.each([0, 1, 78])('reports that it exited with %i', async (code) => {
    await watchApi(`process.exit(${code})`, /start it without an edit/);
    expect(watch.output).toContain(`The API exited (exit code ${code}). Waiting for the next edit.\n${RESTART}`);
  });

  it('does not report an end that an edit caused', async () => {
    await watchApi(SERVING);
    const first = watch.api;
    await folder.expectEdits([SERVER], () => folder.save(SERVER));
    await watch.until(new RegExp(`^api (?!${first}$)\\d+$`, 'm'));
    expect(watch.output).not.toContain('The API exited');
  });

  it('replaces an API in an endless loop at the next edit', async () => {
    await watchApi("console.log('api ' + process.pid); process.on('SIGTERM', () => undefined); for (;;);");
    await folder.expectEdits([MAIN], () => folder.save(MAIN, SERVING));
    const first = watch.api;
    await watch.until(new RegExp(`^api (?!${first}$)\\d+$`, 'm'));
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ends it on %s, also on a second one, and then exits with 0',
    async (signal) => {
      const slowly = "process.on('SIGTERM', () => setTimeout(() => { console.log('ended'); process.exit() }, 500));";
      await watchApi(`${slowly} ${SERVING}`);
      expect(await watch.stop(signal, signal)).toBe(0);
      expect(watch.output).toMatch(/^ended$/m);
      expect(watch.output).not.toContain('The API exited');
    },
  );

  it('does not start it again if it is stopped during an edit', async () => {
    await watchApi(SERVING);
    await folder.expectEdits([SERVER], () => folder.save(SERVER));
    expect(await watch.stop('SIGTERM')).toBe(0);
    expect(() => process.kill(watch.api, 0)).toThrow('ESRCH');
  });
});
