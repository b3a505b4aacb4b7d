import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort } from '@airlock/config/testing';
import { attempt, buildImage, run, waitFor } from './engine.fixture.js';

/** A registry of this run, for real digests, with a release of one checkout. */
export class Registry {
  readonly #container: string;
  address = '';

  constructor(readonly name: string) {
    this.#container = `${name}-registry`;
  }

  /** With the images that a release is built on and runs with, and their digests in docker/images.lock of `folder`. */
  async setUp(folder: string, edge: Readonly<Record<string, string>> = {}): Promise<void> {
    const port = await findFreePort();
    this.address = `127.0.0.1:${port}`;
    run('docker', ['run', '--detach', '--name', this.#container, '--publish', `${this.address}:5000`, 'registry:2']);
    await waitFor('the registry', async () => (await fetch(`http://${this.address}/v2/`)).ok || undefined);
    for (const image of ['node:24.21.0-trixie-slim', 'postgres:18-trixie', 'redis:8-trixie', ...Object.values(edge)]) {
      run('docker', ['tag', image, `${this.address}/${image}`]);
      run('docker', ['push', '--quiet', `${this.address}/${image}`]);
    }
    const names = ['NODE_IMAGE', 'POSTGRES_IMAGE', 'REDIS_IMAGE', ...Object.keys(edge)];
    const pin = attempt('docker/pin-images', names, folder, { REGISTRY: this.address });
    if (pin.status !== 0) throw new Error(pin.output);
  }

  /** Builds like a release, on the digest in docker/images.lock. Returns the digest of the image. */
  buildRelease(folder: string, commit: string): string {
    const pinned = readFileSync(join(folder, 'docker/images.lock'), 'utf8').match(/^(NODE|POSTGRES)_IMAGE=.+$/gm) ?? [];
    const image = `${this.address}/airlock:${commit}`;
    const args = [...pinned, `GIT_COMMIT=${commit}`].flatMap((value) => ['--build-arg', value]);
    buildImage(['--tag', image, ...args], folder);
    run('docker', ['push', '--quiet', image]);
    const digests = run('docker', ['image', 'inspect', '--format', '{{.RepoDigests}}', image]);
    return /sha256:[0-9a-f]{64}/.exec(digests)?.[0] ?? '';
  }

  tearDown(folder: string): void {
    run('docker', ['rm', '--force', '--volumes', this.#container]);
    const format = '{{.Repository}}:{{.Tag}}@{{.Digest}}';
    const images = run('docker', ['image', 'ls', '--digests', '--format', format]).split('\n');
    for (const image of images.filter((line) => line.startsWith(`${this.address}/`))) {
      const reference = image.includes(':<none>') ? image.replace(':<none>', '') : image.replace(/@.*/, '');
      attempt('docker', ['image', 'rm', reference], folder);
    }
  }
}
