import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './engine.fixture.js';
import type { ImageFacts, ImageFile } from './image-rules.js';

type Layers = readonly string[];

interface Inspected {
  readonly Size: number;
  readonly Config: {
    readonly User: string;
    readonly Cmd: readonly string[] | null;
    readonly Entrypoint: readonly string[] | null;
    readonly Env: readonly string[];
    readonly Labels: Readonly<Record<string, string>> | null;
    readonly Healthcheck?: { readonly Test: readonly string[] };
  };
  readonly RootFS: { readonly Layers: Layers };
}

export interface ReadOptions {
  readonly root: string;
  readonly image: string;
  readonly rebuild: string;
  readonly base: string;
  readonly canary: string;
  readonly isRelease?: boolean;
}

/** All facts about `image` that the rules need, read from the engine. */
export function readImageFacts({ root, image, rebuild, base, canary, isRelease = false }: ReadOptions): ImageFacts {
  const { Config: config, Size } = inspectImage(image);
  const history = run('docker', ['history', '--no-trunc', '--format', '{{.CreatedBy}}', image]).split('\n');
  const files = listImageFiles(image);
  return {
    dockerfile: readFileSync(join(root, 'docker/api.Dockerfile'), 'utf8'),
    dockerignore: readFileSync(join(root, '.dockerignore'), 'utf8'),
    releaseWorkflow: globSync(join(root, '.github/{workflows,actions}/**/*.yml'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n'),
    user: config.User,
    command: config.Cmd ?? [],
    entrypoint: config.Entrypoint ?? [],
    environment: Object.fromEntries(config.Env.map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string])),
    labels: config.Labels ?? {},
    healthcheck: config.Healthcheck?.Test ?? [],
    differencesOfRebuild: compareLayers(image, rebuild),
    files,
    manifests: readManifests(image, files),
    canaries: findInImage(image, canary),
    history,
    sizeOverBaseBytes: Size - inspectImage(base).Size,
    isRelease,
  };
}

export function inspectImage(image: string): Inspected {
  return (JSON.parse(run('docker', ['image', 'inspect', image])) as [Inspected])[0];
}

/** Every file as a container sees it. */
function listImageFiles(image: string): ImageFile[] {
  return listEntries(image).map((line) => {
    const [mode = '', owner = '', , , , ...path] = line.split(/\s+/);
    return {
      mode,
      owner,
      path: path
        .join(' ')
        .replace(/ -> .*| link to .*/, '')
        .replace(/^\.\//, ''),
    };
  });
}

/**
 * Differences between the layers of two images: entries, or their mode, owner, size, time or content. Their order is
 * left out: an engine with graph drivers reads one folder or compares two, by what else it has built, and lists the same
 * entries in another order.
 */
export function compareLayers(one: string, other: string): string[] {
  const [layers, others] = [one, other].map((image) => inspectImage(image).RootFS.Layers) as [Layers, Layers];
  const differing = layers.flatMap((layer, at) => (layer === others[at] ? [] : [at]));
  if (layers.length !== others.length) return [`${layers.length} layers and ${others.length}`];
  if (differing.length === 0) return [];
  const [entries, otherEntries] = [one, other].map((image) => new Set(listLayerEntries(image, differing))) as [
    Set<string>,
    Set<string>,
  ];
  return [...entries]
    .filter((line) => !otherEntries.has(line))
    .concat([...otherEntries].filter((line) => !entries.has(line)));
}

/** Lines of `tar -tv` with the number of the layer in front and, for a file, a line with the sum of its content. */
function listLayerEntries(image: string, numbers: readonly number[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-layers-'));
  try {
    run('sh', ['-c', 'docker save "$1" | tar -x -C "$2"', 'sh', image, folder]);
    const [{ Layers: layers }] = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as [
      { Layers: readonly string[] },
    ];
    const sums = '--to-command=echo "$(sha256sum | cut -d " " -f 1) $TAR_FILENAME"';
    return numbers.flatMap((at) =>
      [
        ['-tv', '--numeric-owner', '--full-time'],
        ['-x', sums],
      ]
        .flatMap((options) => run('tar', [...options, '-f', join(folder, layers[at] ?? '')]).split('\n'))
        .map((line) => `layer ${at + 1}: ${line}`),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lines of `tar -tv`: mode, owner, size, date, time, path. */
function listEntries(image: string): string[] {
  const id = run('docker', ['create', image]);
  try {
    const script = 'docker export "$1" | tar --numeric-owner --full-time -tv';
    return run('sh', ['-c', script, 'sh', id]).split('\n');
  } finally {
    run('docker', ['rm', id]);
  }
}

function readManifests(image: string, files: readonly ImageFile[]): ImageFacts['manifests'] {
  const ours = files
    .map(({ path }) => path)
    .filter((path) => /^app\/(package-lock|((apps|libs)\/\w+\/)?package)\.json$/.test(path));
  const print =
    'const fs = require("fs"); console.log(JSON.stringify(process.argv.slice(1).map((p) => JSON.parse(fs.readFileSync("/" + p)))))';
  const texts = run('docker', ['run', '--rm', '--network=none', image, 'node', '-e', print, ...ours]);
  const manifests = JSON.parse(texts) as ImageFacts['manifests'][string][];
  return Object.fromEntries(ours.map((path, at) => [path, manifests[at] ?? {}]));
}

/** The places of `text` in everything that is pushed with the image: layers, history, configuration. */
export function findInImage(image: string, text: string): string[] {
  const script = 'docker save "$1" | grep --text --count --fixed-strings -- "$2" || true';
  const count = Number(run('sh', ['-c', script, 'sh', image, text]));
  return count > 0 ? [`${count} times in the output of docker save`] : [];
}
