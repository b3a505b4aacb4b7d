// Exits with 0 if node_modules contains exactly what the lockfile names, according to npm's own record.
// Runs on the machine's Node, before ours is installed.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

/** @returns whether `npm ci` would change nothing */
export function isInstalled() {
  const wanted = readPackages('package-lock.json');
  const installed = readPackages('node_modules/.package-lock.json');
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return isDeclared(path, entry);
    const found = installed[path];
    // Packages for other systems are only in the lockfile.
    return found ? isSame(entry, found) : entry.optional === true;
  });
}

/** Whether each package.json of ours requires the same packages as the lockfile recorded for it. */
function isDeclared(path, entry) {
  const declared = readJson(path === '' ? 'package.json' : `${path}/package.json`);
  return declared !== undefined && KINDS.every((kind) => isDeepStrictEqual(declared[kind] ?? {}, entry[kind] ?? {}));
}

function isSame({ version, integrity, link }, found) {
  return link === true ? found.link === true : version === found.version && integrity === found.integrity;
}

function readPackages(path) {
  return readJson(path)?.packages;
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

process.exitCode = isInstalled() ? 0 : 1;
