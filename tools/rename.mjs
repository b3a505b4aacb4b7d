// Gives the workspace another name: `make rename NAME=<name>`. It stands in packages, commands, roles, databases, variables
// and documents, in three spellings. What is generated from the sources is generated anew, because widths change.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A word that fits into every place: a package scope, a variable in capitals, a role, the name of a database. */
const NAME = /^[a-z][a-z0-9]{1,19}$/;
/** Names of databases are judged by these words: one that held one of them would be a test database everywhere. */
const ENVIRONMENT_WORDS = /test|dev|local|preview|stag|prod|tmp|temp|demo|sandbox/;

/**
 * Renames everything that git tracks below `root`, file names too, and the `.env` that is there.
 * @throws Error before anything is changed, where the name does not fit or the tree has changes that could be lost
 */
export function renameWorkspace(root, to) {
  const from = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).name;
  assertFits(root, to);
  const paths = git(root, 'ls-files').split('\n').filter(Boolean);
  for (const path of [...paths, '.env']) {
    if (existsSync(join(root, path))) renameWithin(join(root, path), from, to);
  }
  for (const path of paths.filter((path) => basename(path).includes(from))) {
    renameSync(join(root, path), join(root, dirname(path), basename(path).replaceAll(from, to)));
  }
  return from;
}

function assertFits(root, to) {
  if (!NAME.test(to))
    refuse(`NAME: is ${JSON.stringify(to)}; expected 2 to 20 small letters and digits, a letter first`);
  if (ENVIRONMENT_WORDS.test(to)) refuse(`NAME: "${to}" holds a word that environments are told by; expected none`);
  const found = git(root, 'grep', '-Iil', '--', to).split('\n').filter(Boolean);
  if (found.length > 0) {
    refuse(`NAME: "${to}" stands in ${found.length} files already, such as ${found[0]}; expected a word of its own`);
  }
  if (git(root, 'status', '--porcelain') !== '')
    refuse('the checkout has changes; expected none, so that nothing is lost', 'git stash');
}

function renameWithin(path, from, to) {
  const bytes = readFileSync(path);
  if (bytes.includes(0)) return;
  const renamed = spellings(from).reduce(
    (text, spelling, index) => text.replaceAll(spelling, spellings(to)[index]),
    bytes.toString('utf8'),
  );
  writeFileSync(path, renamed);
}

const spellings = (name) => [name, name.toUpperCase(), name[0].toUpperCase() + name.slice(1)];

function git(root, ...args) {
  try {
    return execFileSync('git', args, { cwd: root, encoding: 'utf8' });
  } catch (error) {
    // `git grep` says by 1 that it found nothing.
    if (args[0] === 'grep' && error.status === 1) return '';
    throw error;
  }
}

function refuse(message, cure = 'make rename NAME=<name>') {
  throw new Error(`${message}\n  ${cure}`);
}

/** Links the packages under their new names, and writes anew what is derived from the sources. */
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
    const from = renameWorkspace(root, to);
    regenerate(root, to);
    console.log(
      `${from} is ${to} now. Look at it with \`git diff\`, try it with \`make test\`, and commit it.\n` +
        `The development data of before stays in .${from}; \`make dev\` begins a new one in .${to}.`,
    );
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
