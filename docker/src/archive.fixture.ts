import { randomBytes } from 'node:crypto';
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempt, buildImage, cloneWorkspace, nameRun, removeClone, run, type Outcome } from './engine.fixture.js';
import { Host, hostings } from './hosted.fixture.js';

const production = hostings.find(({ environment }) => environment === 'production')!;

/** Production on its host, with continuous archiving as docs/runbooks/restore.md switches it on. */
export class ArchivedHost {
  readonly name = nameRun();
  readonly folder = cloneWorkspace();
  readonly archiveKey = randomBytes(32).toString('hex');
  readonly host = new Host(production, {
    name: this.name,
    folder: this.folder,
    repository: `${this.name}-api`,
    digest: `sha256:${'1'.repeat(64)}`,
    outboundHosts: '',
    hasEdge: false,
  });

  setUp(): void {
    this.#buildImages();
    this.host.setUp();
    const settings = { ARCHIVE_IMAGE: `${this.name}-postgres` };
    const images = { POSTGRES_IMAGE: 'postgres:18-trixie', REDIS_IMAGE: 'redis:8-trixie' };
    const lines = Object.entries({ ...settings, ...images }).map(([key, value]) => `${key}=${value}\n`);
    appendFileSync(join(this.folder, 'docker/settings/production.env'), lines.join(''));
    this.writeSecret('archive_key', this.archiveKey);
    this.#edit('compose.production.yml', /^( {2}archive:\n.*\n)/m, '$1    secrets: [archive_key]\n');
    this.#edit('compose.production.yml', /^secrets:\n/m, "$&  archive_key: { file: '${SECRETS_DIR}/archive_key' }\n");
    // The suite has no registry, so that the release has no digest.
    this.#edit('docker/hosted.yml', /^x-image: .*$/m, 'x-image: &image $${API_REPOSITORY}');
  }

  /** `docker/recover production …` as an operator types it. */
  recover(...words: string[]): Outcome {
    return this.recoverAs('production', ...words);
  }

  /** The same with an environment of any name. */
  recoverAs(environment: string, ...words: string[]): Outcome {
    return attempt('docker/recover', [environment, ...words], this.folder, { AIRLOCK_PROJECT: this.host.project });
  }

  /** A shell command in the service `archive`, with its settings. */
  inArchive(script: string): string {
    const { status, output } = this.host.compose('exec', '--no-TTY', 'archive', 'archive', 'bash', '-c', script);
    if (status !== 0) throw new Error(`${script}: ${output}`);
    return output.trim();
  }

  /** A command of the release. */
  release(...command: string[]): Outcome {
    return this.host.compose('run', '--rm', '--no-deps', '--no-TTY', 'migrate', 'airlock', ...command);
  }

  /** The same on another database of the server. */
  releaseWith(database: string, ...command: string[]): Outcome {
    const mounts = ['database_url', 'database_migration_url'].map((name) => {
      const url = readFileSync(join(this.host.secretsDir, name), 'utf8').trim();
      const file = this.writeSecret(`other_${name}`, url.replace(/[^/]+$/, database));
      return `--volume=${file}:/run/secrets/${name}:ro`;
    });
    return this.host.compose('run', '--rm', '--no-deps', '--no-TTY', ...mounts, 'migrate', 'airlock', ...command);
  }

  /** `docker/recover` in another container of the service, with another secret or setting. */
  recoverWith(options: readonly string[], ...words: string[]): Outcome {
    const command = ['run', '--rm', '--no-deps', '--no-TTY', ...options, 'archive', 'archive', 'recover', ...words];
    return this.host.compose(...command);
  }

  writeSecret(name: string, text: string): string {
    const file = join(this.host.secretsDir, name);
    writeFileSync(file, `${text}\n`);
    chmodSync(file, 0o444);
    return file;
  }

  tearDown(): void {
    this.host.tearDown();
    attempt(
      'docker',
      ['image', 'rm', '--force', `${this.name}-postgres`, `${this.name}-base`, `${this.name}-api`],
      '/',
    );
    removeClone(this.folder);
  }

  #buildImages(): void {
    buildImage(['--tag', `${this.name}-api`], this.folder);
    // A mirror of packages that is some days old is good enough for a test.
    const context = mkdtempSync(join(tmpdir(), 'base-'));
    const lines = ['FROM postgres:18-trixie', 'USER root'];
    const option = 'Acquire::Check-Valid-Until "false";';
    writeFileSync(
      join(context, 'Dockerfile'),
      [...lines, `RUN echo '${option}' >/etc/apt/apt.conf.d/dated`].join('\n'),
    );
    try {
      run('docker', ['build', '--quiet', '--tag', `${this.name}-base`, context]);
    } finally {
      rmSync(context, { recursive: true });
    }
    const base = ['--build-arg', `POSTGRES_IMAGE=${this.name}-base`];
    run('docker', [
      'build',
      '--quiet',
      '--tag',
      `${this.name}-postgres`,
      ...base,
      join(this.folder, 'docker/postgres'),
    ]);
  }

  #edit(file: string, from: RegExp, to: string): void {
    const path = join(this.folder, file);
    const text = readFileSync(path, 'utf8');
    if (!from.test(text)) throw new Error(`${file}: has no ${from}`);
    writeFileSync(path, text.replace(from, to));
  }
}
