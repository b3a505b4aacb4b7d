// Writes the workspace's manifests and lockfile to TARGET, cut down to what the named apps need at run time:
// `node docker/prune-lockfile.mjs TARGET apps/api apps/cli`. Kept packages keep their locked version and hash, and
// `npm ci` refuses an inconsistent result. So a new linter changes no layer of the image.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const [target, ...apps] = process.argv.slice(2);
const lock = JSON.parse(await readFile('package-lock.json', 'utf8'));
const links = Object.keys(lock.packages).filter((path) => apps.includes(lock.packages[path].resolved));
const kept = collect(links, lock.packages);
const workspaces = [...kept].filter((path) => !path.includes('node_modules/')).sort();

const root = { name: lock.name, version: lock.version, private: true, type: 'module', workspaces };
await writeJson('package.json', root);
await writeJson('package-lock.json', {
  ...lock,
  packages: {
    '': root,
    ...Object.fromEntries(
      Object.entries(lock.packages)
        .filter(([path]) => kept.has(path))
        .map(cut),
    ),
  },
});
for (const path of workspaces) {
  const manifest = join(path, 'package.json');
  await writeJson(manifest, withoutExtras(JSON.parse(await readFile(manifest, 'utf8'))));
}

/** The given entries of the lockfile, and all that they reach through dependencies and peers. */
function collect(paths, packages) {
  const reached = new Set();
  const waiting = [...paths];
  while (waiting.length > 0) {
    const path = waiting.pop();
    if (reached.has(path)) continue;
    reached.add(path);
    const entry = packages[path];
    if (entry.link) waiting.push(entry.resolved);
    else waiting.push(...neededBy(entry, isWorkspace(path)).flatMap((name) => resolve(path, name, packages) ?? []));
  }
  return reached;
}

/**
 * The names of a package's dependencies. Its optional dependencies count, because native parts are optional. Those of a
 * workspace do not: they are embedded servers for development and tests. A peer counts only if another package needs
 * it.
 */
function neededBy({ dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta }, ours) {
  const optionalPeer = (name) => peerDependenciesMeta?.[name]?.optional;
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !optionalPeer(name));
  return [...Object.keys(dependencies ?? {}), ...(ours ? [] : Object.keys(optionalDependencies ?? {})), ...peers];
}

/** The entry that Node resolves `name` to from `path`: the nearest node_modules upwards. */
function resolve(path, name, packages) {
  for (let folder = path; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (packages[candidate]) return candidate;
    if (folder === '.') return undefined;
  }
}

/** `npm ci` compares these with the manifests, so the same parts are removed from both. */
function cut([path, entry]) {
  return [path, isWorkspace(path) ? withoutExtras(entry) : withoutFlags(entry)];
}

function withoutExtras({ devDependencies, optionalDependencies, ...rest }) {
  return rest;
}

/** `dev` and `optional` refer to the whole tree; in the pruned tree each entry is needed. */
function withoutFlags({ dev, devOptional, ...rest }) {
  return rest;
}

function isWorkspace(path) {
  return !path.includes('node_modules/');
}

async function writeJson(path, value) {
  await mkdir(join(target, dirname(path)), { recursive: true });
  await writeFile(join(target, path), `${JSON.stringify(value, null, 2)}\n`);
}
