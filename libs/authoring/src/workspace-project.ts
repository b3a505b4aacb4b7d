import { existsSync, globSync, lstatSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { assertKebab } from './resource-names.js';
import { AuthoringRefusal } from './refusal.js';
import { assertFree, type FileChange, readWorkspaceFile, writeAll } from './write-all.js';

const LOCKFILE = 'package-lock.json';
export const SCOPE = '@airlock';

/** A project that a generator adds to the workspace. */
export interface NewProject {
  readonly folder: 'apps' | 'libs';
  readonly name: string;
  /** Names of libraries of this workspace. */
  readonly dependencies: readonly string[];
  /** Those of its specs. */
  readonly devDependencies?: readonly string[];
  /** The first function that it exports. */
  readonly call: string;
}

export interface CreatedProject {
  readonly created: readonly string[];
  readonly changed: readonly string[];
}

/** @throws AuthoringRefusal if the name is not valid, or is the name of another project or source */
export function assertProjectName(root: string, { folder, name, call }: NewProject, example: string): void {
  assertKebab(name, folder === 'libs' ? 'library' : 'app', example);
  assertFree(root, name, [`${folder}/${name}`]);
  const projects = globSync('{apps,libs}/*/package.json', { cwd: root }).concat(
    'checks/package.json',
    'docker/package.json',
  );
  const taken = projects.find(
    (path) => existsSync(join(root, path)) && projectName(readWorkspaceFile(root, path)) === name,
  );
  if (taken) throw new AuthoringRefusal(`"${name}": is the name of the project in ${taken}; expected another name`);
  assertSourceNames(root, name, call);
}

/** The first source of a project has its name. Names of sources and exports are unique, and entry points have fixed names. */
function assertSourceNames(root: string, name: string, call: string): void {
  const refuse = (is: string) => new AuthoringRefusal(`"${name}": is ${is}; expected another name`);
  if (['index', 'main'].includes(name)) throw refuse('the name of an entry point');
  if (readWorkspaceFile(root, '.gitignore').split('\n').includes(`${name}/`)) throw refuse('in .gitignore');
  const files = [`${name}.ts`, `${name}.spec.ts`];
  const sources = globSync('{apps,libs,checks,docker}/**/*.ts', {
    cwd: root,
    exclude: ['**/node_modules', '**/dist', 'docker/deploy'],
  }).sort();
  const same = sources.find((path) => files.includes(basename(path)));
  if (same) throw refuse(`the name of the source ${same}`);
  const exports = new RegExp(`^export (async )?(function|const|class) ${call}\\b`, 'm');
  const exporting = sources.find((path) => exports.test(readWorkspaceFile(root, path)));
  if (exporting) throw refuse(`a name whose function ${call} is already exported by ${exporting}`);
}

function projectName(manifest: string): string | undefined {
  return (JSON.parse(manifest) as { nx?: { name?: string } }).nx?.name;
}

/** The start of the package.json of a project. */
export function describePackage({ name, dependencies, devDependencies }: NewProject) {
  const listVersions = (names: readonly string[]) =>
    Object.fromEntries(names.map((one) => [`${SCOPE}/${one}`, VERSION]));
  return {
    name: `${SCOPE}/${name}`,
    version: VERSION,
    dependencies: listVersions(dependencies),
    ...(devDependencies && { devDependencies: listVersions(devDependencies) }),
  };
}

const VERSION = '0.1.0';

/** Writes the files of a project and adds it to the lockfile and to node_modules; all of it or none. */
export function writeProject(root: string, project: NewProject, files: readonly FileChange[]): CreatedProject {
  const rollBack = writeAll(root, [...files, lock(root, project)]);
  try {
    link(root, project);
  } catch (error) {
    rollBack();
    throw error;
  }
  const isNew = (file: FileChange) => file.before === undefined;
  return {
    created: files.filter(isNew).map(({ path }) => path),
    changed: [...files.filter((file) => !isNew(file)).map(({ path }) => path), LOCKFILE],
  };
}

/** Adds the project to the lockfile like npm. A workspace package requires no registry. */
function lock(root: string, project: NewProject): FileChange {
  const path = `${project.folder}/${project.name}`;
  const before = readWorkspaceFile(root, LOCKFILE);
  const content = JSON.parse(before) as { packages: Record<string, object> };
  const packages = {
    ...content.packages,
    [path]: describePackage(project),
    [`node_modules/${SCOPE}/${project.name}`]: { resolved: path, link: true },
  };
  const sorted = Object.fromEntries(Object.entries(packages).sort(([one], [other]) => one.localeCompare(other, 'en')));
  return { path: LOCKFILE, before, text: `${JSON.stringify({ ...content, packages: sorted }, null, 2)}\n` };
}

/** Links the project like `npm install`, so that it can be imported at once. */
function link(root: string, { folder, name }: NewProject): void {
  const packages = join(root, 'node_modules', SCOPE);
  if (!existsSync(packages)) return;
  const path = join(packages, name);
  // A removed project of this name may have left its link.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(path);
  symlinkSync(`../../${folder}/${name}`, path);
}
