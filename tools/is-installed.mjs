// Exits with 0 where node_modules holds exactly what the lockfile names, by npm's own record of what it installed.
// Runs on the Node of the machine, before ours is there.
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
    // Packages for other systems are in the lockfile only.
    return found ? isSame(entry, found) : entry.optional === true;
  });
}

/** Whether a package.json of ours asks for what the lockfile knows that it asks for. */
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
