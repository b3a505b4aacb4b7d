import { execFile } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const COPIED = [
  'apps',
  'libs',
  'tools',
  'docs',
  '.node-version',
  '.prettierrc.json',
  '.prettierignore',
  'nx.json',
  'tsconfig.base.json',
];
const MANIFESTS = ['package.json', 'package-lock.json'];
/** Specs stay behind: nothing that is tried in a copy runs them, and the compiler would read them all. */
const LEFT_OUT = /(\.spec\.ts|\/(dist|node_modules|coverage)|\/apps\/api\/src\/testing)$/;

/** The workspace's sources in a folder of their own, with the installed packages: commands change the copy only. */
export class WorkspaceCopy {
  readonly folder = mkdtempSync(join(tmpdir(), 'workspace-copy-'));

  readonly #copied: ReadonlyMap<string, string>;

  constructor() {
    const isCopied = (path: string) => !LEFT_OUT.test(path);
    for (const path of [...COPIED, ...MANIFESTS]) {
      cpSync(join(ROOT, path), join(this.folder, path), { recursive: true, filter: isCopied });
    }
    this.#copied = new Map(this.#listSources().map((path) => [path, this.read(path)]));
    const packages = join(this.folder, 'node_modules');
    mkdirSync(packages);
    // Links to our own packages are relative, and so lead into the copy.
    const isOurs = (name: string) => name === '.bin' || name === '@airlock';
    for (const name of readdirSync(join(ROOT, 'node_modules'))) {
      const [from, to] = [join(ROOT, 'node_modules', name), join(packages, name)];
      if (isOurs(name)) cpSync(from, to, { recursive: true, verbatimSymlinks: true });
      else symlinkSync(from, to);
    }
    for (const nested of globSync('{apps,libs}/*/node_modules', { cwd: ROOT })) {
      symlinkSync(join(ROOT, nested), join(this.folder, nested));
    }
  }

  /** Runs commands of a shell; the first one that fails is an error, with what it printed. */
  async run(commands: string): Promise<void> {
    const PATH = `${join(this.folder, 'node_modules/.bin')}:/usr/bin:/bin`;
    const env = { PATH, NX_DAEMON: 'false', NX_ISOLATE_PLUGINS: 'false' };
    const running = execute('bash', ['-euo', 'pipefail', '-c', commands], { cwd: this.folder, env });
    running.child.stdin?.end();
    await running.catch((cause: Error & { readonly stdout: string }) => {
      throw new Error(`${cause.message}\n${cause.stdout}`, { cause });
    });
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  /** The sources that are new, or differ from those that were copied. */
  listChanged(): string[] {
    return this.#listSources().filter((path) => this.#copied.get(path) !== this.read(path));
  }

  #listSources(): string[] {
    return globSync('{apps,libs}/**/*.{ts,sql,json}', { cwd: this.folder, exclude: ['**/node_modules'] }).sort();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
