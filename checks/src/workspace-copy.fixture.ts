import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './repository.js';

const execute = promisify(execFile);
const COPIED = [
  'apps',
  'libs',
  'tools',
  'docs',
  'docker',
  'checks/package.json',
  '.env.example',
  '.gitignore',
  '.node-version',
  '.prettierrc.json',
  '.prettierignore',
  'compose.override.yml',
  'eslint.config.mjs',
  'nx.json',
  'tsconfig.base.json',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
];
/** Specs are left out: no command in a copy runs them, and the compiler would read them all. */
const LEFT_OUT = /(\.spec\.ts|\/(dist|node_modules|coverage)|\/apps\/api\/src\/testing)$/;

/** The workspace's sources in a separate folder, with the installed packages: commands change only the copy. */
export class WorkspaceCopy {
  readonly folder = mkdtempSync(join(tmpdir(), 'workspace-copy-'));

  readonly #copied: ReadonlyMap<string, string>;
  readonly #env = {
    PATH: `${join(this.folder, 'node_modules/.bin')}:/usr/bin:/bin`,
    NX_DAEMON: 'false',
    NX_ISOLATE_PLUGINS: 'false',
  };
  readonly #started: ChildProcess[] = [];

  constructor() {
    const isCopied = (path: string) => !LEFT_OUT.test(path);
    for (const path of [...COPIED, ...globSync('compose*.yml', { cwd: root })]) {
      cpSync(join(root, path), join(this.folder, path), { recursive: true, filter: isCopied });
    }
    this.#copied = new Map(this.#listSources().map((path) => [path, this.read(path)]));
    const packages = join(this.folder, 'node_modules');
    mkdirSync(packages);
    // Links to our own packages are relative, and so point into the copy.
    const isOurs = (name: string) => name === '.bin' || name === '@airlock';
    for (const name of readdirSync(join(root, 'node_modules'))) {
      const [from, to] = [join(root, 'node_modules', name), join(packages, name)];
      if (isOurs(name)) cpSync(from, to, { recursive: true, verbatimSymlinks: true });
      else symlinkSync(from, to);
    }
    for (const nested of globSync('{apps/*,libs/*,docker}/node_modules', { cwd: root })) {
      symlinkSync(join(root, nested), join(this.folder, nested));
    }
  }

  /** Runs shell commands; the first failing one is an error that contains its output. */
  async run(commands: string): Promise<string> {
    const options = { cwd: this.folder, env: this.#env };
    const running = execute('bash', ['-euo', 'pipefail', '-c', commands], options);
    running.child.stdin?.end();
    const { stdout } = await running.catch((cause: Error & { readonly stdout: string }) => {
      throw new Error(`${cause.message}\n${cause.stdout}`, { cause });
    });
    return stdout;
  }

  /** Starts a command that runs until `stop`. @returns its output once that matches */
  async start([program = '', ...args]: readonly string[], expected: RegExp): Promise<string> {
    const path = join(this.folder, 'node_modules/.bin', program);
    const child = spawn(path, args, { cwd: this.folder, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#started.push(child);
    return new Promise((resolve, reject) => {
      let printed = '';
      const read = (chunk: Buffer) => {
        printed += chunk.toString();
        if (expected.test(printed)) resolve(printed);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', () => reject(new Error(`${program} ${args.join(' ')} has ended:\n${printed}`)));
    });
  }

  /** Ends the commands that `start` has started, the last one first. */
  async stop(): Promise<void> {
    for (const child of this.#started.splice(0).reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      await ended;
    }
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  /** The sources that are new, or differ from those that were copied. */
  listChanged(): string[] {
    return this.#listSources().filter((path) => this.#copied.get(path) !== this.read(path));
  }

  #listSources(): string[] {
    const sources = ['*.{json,mjs,yml}', '.env.example', '{apps,libs,docs,docker}/**/*.{ts,mjs,sql,json,md,example}'];
    return globSync(sources, { cwd: this.folder, exclude: ['**/node_modules'] }).sort();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
