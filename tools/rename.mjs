// Gives the workspace another name: `make rename NAME=<name>`. The name occurs in packages, commands, roles, databases,
// variables and documents, in the spelling that each place requires. Generated files are generated again, because
// widths change.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findWordOf } from '../libs/config/src/values/database-names.ts';
import { ENVIRONMENTS } from '../libs/config/src/values/environment.ts';

const NAME = /^(?=.{2,20}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * Renames everything that git tracks below `root`, including file names, and an existing `.env`.
 *
 * @returns the old name, and the number of files in which the new one was an ordinary word before
 * @throws Error before anything is changed, if the name is not valid or the tree has changes that could be lost
 */
export function renameWorkspace(root, to) {
  assertRepository(root);
  const { name: from, renamed } = readManifest(root);
  assertFits(root, to);
  if (renamed?.wordIn > 0) {
    refuse(
      `NAME: "${from}" was an ordinary word in ${countFiles(renamed.wordIn)} before the workspace had that name; ` +
        'expected a name that differs from other words',
      'git revert <the commit of that rename>   # then choose another name',
    );
  }
  const wordIn = git(root, 'grep', '-Iilw', '-e', spell(to).kebab, '-e', spell(to).snake).split('\n').length - 1;
  const paths = git(root, 'ls-files').split('\n').filter(Boolean);
  for (const path of [...paths, '.env']) {
    if (existsSync(join(root, path))) renameWithin(join(root, path), from, to);
  }
  for (const path of paths.filter((path) => basename(path).includes(from))) {
    renameSync(join(root, path), join(root, dirname(path), basename(path).replaceAll(from, to)));
  }
  ignoreOldData(root, from);
  writeManifest(root, { ...readManifest(root), renamed: { from, ...(wordIn > 0 && { wordIn }) } });
  return { from, wordIn };
}

/** `.gitignore` has the new name now. The folder of the old one has rows and a private key, and no commit may have them. */
function ignoreOldData(root, from) {
  const folder = join(root, `.${from}`);
  if (existsSync(folder)) writeFileSync(join(folder, '.gitignore'), '*\n');
}

function assertFits(root, to) {
  if (!NAME.test(to)) {
    refuse(
      `NAME: is ${JSON.stringify(to)}; expected 2 to 20 lowercase letters, digits or single hyphens, starting with a letter`,
    );
  }
  const word = findWordOf(to, ENVIRONMENTS);
  if (word) refuse(`NAME: "${to}" contains the word "${word}", which names an environment; expected another name`);
  const use = findUse(root, to);
  if (use) refuse(`NAME: "${to}" is ${use} of this workspace; expected another name`);
  if (git(root, 'status', '--porcelain') !== '') {
    refuse('the checkout has uncommitted changes; expected none, so that nothing is lost', 'git stash');
  }
}

/** A name that would shadow an installed command, a scope of packages, or a project. */
function findUse(root, to) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const entries = Object.entries(packages);
  if (entries.some(([, { bin }]) => Object.hasOwn(bin ?? {}, to))) return 'a command';
  if (entries.some(([path]) => path.startsWith(`node_modules/@${to}/`))) return 'a scope of packages';
  return entries.some(([path]) => !path.includes('node_modules/') && basename(path) === to) ? 'a project' : undefined;
}

function renameWithin(path, from, to) {
  const bytes = readFileSync(path);
  if (bytes.includes(0)) return;
  const text = bytes.toString('utf8');
  const renamed = replaceName(text, from, to);
  if (renamed !== text) writeFileSync(path, renamed);
}

/** The spellings of a name of one or more words. */
function spell(name) {
  const words = name.split('-');
  const capitalised = words.map((word) => word[0].toUpperCase() + word.slice(1));
  return {
    kebab: name,
    snake: words.join('_'),
    upper: words.join('_').toUpperCase(),
    title: capitalised.join(' '),
    train: capitalised.join('-'),
    pascal: capitalised.join(''),
    camel: words[0] + capitalised.slice(1).join(''),
  };
}

/**
 * A name of one word has the same spelling in many places; the neighbouring characters decide which spelling a place
 * needs.
 */
export function replaceName(text, from, to) {
  const [old, made] = [spell(from), spell(to)];
  if (from.includes('-')) {
    return Object.keys(old).reduce((result, style) => result.replaceAll(old[style], made[style]), text);
  }
  return text
    .replaceAll(old.upper, made.upper)
    .replace(new RegExp(`(?<=\\w)${old.title}|${old.title}(?=\\w)`, 'g'), made.pascal)
    .replace(new RegExp(`(?<=/)${old.title}|${old.title}(?=/)`, 'g'), made.train)
    .replaceAll(old.title, made.title)
    .replace(new RegExp(`(?<=_)${from}|${from}(?=_)`, 'g'), made.snake)
    .replace(new RegExp(`${from}(?=[A-Z])`, 'g'), made.camel)
    .replaceAll(from, made.kebab);
}

function readManifest(root) {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
}

function writeManifest(root, manifest) {
  writeFileSync(join(root, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

function assertRepository(root) {
  if (existsSync(join(root, '.git'))) return;
  refuse(
    'this folder is not a Git checkout; expected one, so that the change can be reviewed and undone',
    'git init && git add --all && git commit --message "Start"',
  );
}

function git(root, ...args) {
  try {
    // A checkout that another user owns counts too: its own make runs this.
    return execFileSync('git', ['-c', 'safe.directory=*', ...args], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    // `git grep` exits with 1 when it finds nothing.
    if (args[0] === 'grep' && error.status === 1) return '';
    throw error;
  }
}

function refuse(message, fix = 'make rename NAME=<name>') {
  throw new Error(`${message}\n  ${fix}`);
}

/** Links the packages under their new names, and generates the derived files again. */
function regenerate(root, to) {
  const run = (command, ...args) => execFileSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  run('sh', 'tools/install.sh', 'node_modules/.installed');
  run(to, 'config', 'example', '--write');
  run(to, 'config', 'docs', '--write');
  run('nx', 'run', 'api:documents');
  run('prettier', '--write', '--log-level=warn', '.');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const to = process.argv[2] ?? '';
  try {
    const { from, wordIn } = renameWorkspace(root, to);
    regenerate(root, to);
    console.log(
      `${from} is ${to} now. Look at it with \`git diff\`, try it with \`make test\`, and commit it.\n` +
        `The earlier development data stays in .${from}; \`make dev\` creates new data in .${to}.` +
        (wordIn > 0
          ? `\n"${to}" is also an ordinary word in ${countFiles(wordIn)}: only \`git revert\` can undo the rename.`
          : ''),
    );
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

function countFiles(count) {
  return count === 1 ? '1 file' : `${count} files`;
}
