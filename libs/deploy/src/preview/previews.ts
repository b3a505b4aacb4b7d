import { existsSync } from 'node:fs';
import { createDocker } from '../engine/docker.js';
import { parseImageReference } from '../engine/image-reference.js';
import { createProgress } from '../engine/progress.js';
import { parseTime } from '../engine/duration.js';
import { previewDown, reap } from './down.js';
import { listPreviews, parseNumber, parsePrefix, nameProject, type Preview } from './preview-stack.js';
import { previewUp } from './up.js';

/** The options of `airlock preview up`, as typed. */
export interface PreviewChoices {
  /** The domain above `pr-N`. Default: the one in the settings file. */
  readonly domain?: string;
  /** The network of the proxy that all previews share. */
  readonly edge: string;
  readonly lifetime: string;
  readonly edgeTimeout: string;
  readonly file?: readonly string[];
  readonly envFile?: readonly string[];
}

export interface Previews {
  up(number: string, image: string, choices: PreviewChoices): Promise<Preview>;
  /** Returns the name of the removed project. */
  down(number: string): Promise<string>;
  list(): Promise<Preview[]>;
  /** Removes previews past their lifetime or not in `open` (numbers separated by commas; default: all are open). */
  reap(open: string | undefined): Promise<Preview[]>;
}

/** The previews of one host whose projects begin with `prefix`. Progress goes to stderr. */
export function openPreviews(host: { readonly context?: string; readonly prefix: string }): Previews {
  const docker = createDocker(host.context);
  const prefix = parsePrefix(host.prefix);
  return {
    async up(number, image, choices) {
      const progress = createProgress(process.stderr);
      const defaults = ['docker/settings/preview.env', 'docker/images.lock'].filter((file) => existsSync(file));
      const preview = await previewUp(docker, {
        number: parseNumber(number),
        image: parseImageReference(image),
        prefix,
        domain: choices.domain,
        edgeNetwork: choices.edge,
        lifetimeMs: parseTime('--lifetime', choices.lifetime),
        edgeTimeoutMs: parseTime('--edge-timeout', choices.edgeTimeout),
        files: choices.file ?? ['compose.yml', 'compose.preview.yml'],
        envFiles: choices.envFile ?? defaults,
        progress,
      });
      progress.end(`${preview.url} until ${preview.expires.toISOString()}`);
      return preview;
    },
    async down(number) {
      const project = nameProject(prefix, parseNumber(number));
      await previewDown(docker, project);
      return project;
    },
    list: () => listPreviews(docker, prefix),
    reap: (open) => {
      const numbers = open?.split(',').filter((text) => text !== '');
      return reap(docker, { prefix, open: numbers && new Set(numbers.map(parseNumber)) });
    },
  };
}
