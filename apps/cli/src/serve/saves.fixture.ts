import {
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WatchedFolder } from './watched-folder.fixture.js';

export const MAIN = 'apps/api/src/main.ts';

/** The ways in which editors and commands save a file. */
export const saves: Readonly<Record<string, (folder: WatchedFolder) => void | Promise<void>>> = {
  'in place': (folder) => folder.save(MAIN),
  'by a rename over the file': (folder) => {
    folder.save('apps/api/src/main.ts.tmp');
    renameSync(folder.at('apps/api/src/main.ts.tmp'), folder.at(MAIN));
  },
  'by a rename away and a new file': (folder) => {
    renameSync(folder.at(MAIN), folder.at(`${MAIN}~`));
    folder.save(MAIN);
  },
  'by sed -i': (folder) => folder.run('sed', '-i', 's/$/x/', MAIN),
  'by git checkout': (folder) => {
    folder.save(MAIN);
    folder.run('git', 'checkout', '--quiet', '--', MAIN);
  },
  'by git stash': (folder) => {
    folder.save(MAIN);
    folder.run('git', 'stash', '--quiet');
  },
  'by a switch of the branch and back': (folder) => {
    folder.run('git', 'checkout', '--quiet', '-B', 'other');
    folder.save(MAIN);
    folder.save('apps/api/src/new/only-there.ts');
    folder.commit();
    folder.run('git', 'checkout', '--quiet', '-');
  },
  'by removing the file and writing it again': (folder) => {
    unlinkSync(folder.at(MAIN));
    folder.save(MAIN);
  },
  'in two steps with nothing in between': async (folder) => {
    truncateSync(folder.at(MAIN));
    await sleep(10);
    folder.save(MAIN);
  },
  'with the size and the times that it had': (folder) => {
    folder.save(MAIN, 'MAIN');
    utimesSync(folder.at(MAIN), 1, 1);
  },
  'through another name of the same file': (folder) => {
    rmSync(folder.at('other-name'), { force: true });
    linkSync(folder.at(MAIN), folder.at('other-name'));
    writeFileSync(folder.at('other-name'), 'through another name');
  },
  'as a link to another file': (folder) => {
    folder.save('elsewhere.txt');
    unlinkSync(folder.at(MAIN));
    symlinkSync(folder.at('elsewhere.txt'), folder.at(MAIN));
  },
  'with the content that it had': (folder) => folder.save(MAIN, readFileSync(folder.at(MAIN), 'utf8')),
};
