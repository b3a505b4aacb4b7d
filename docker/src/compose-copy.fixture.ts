import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

export const composeFiles = [
  'compose.yml',
  'compose.override.yml',
  'compose.test.yml',
  'compose.preview.yml',
  'compose.staging.yml',
  'compose.production.yml',
  'docker/hosted.yml',
  'docker/swarm.yml',
  'docker/traefik/edge.yml',
  'docker/traefik/compose.yml',
  'docker/traefik/tls.yml',
  'docker/settings/example.env',
];

export interface Copy {
  readonly root: string;
  /** Inserts `lines` below the first line that `anchor` matches; returns the number of the first new line. */
  readonly insert: (file: string, anchor: RegExp, ...lines: string[]) => number;
  /** Replaces the first line that `anchor` matches; returns its number. */
  readonly replace: (file: string, anchor: RegExp, ...lines: string[]) => number;
  /** The number of the first line that `anchor` matches. */
  readonly find: (file: string, anchor: RegExp) => number;
  readonly remove: (file: string, anchor: RegExp) => void;
  /** Appends `lines` to a file, which is created if it does not exist. */
  readonly append: (file: string, ...lines: string[]) => void;
  readonly read: (file: string) => string;
}

/** A copy of the Compose files that a test may break. */
export function withComposeCopy<T>(use: (copy: Copy) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'compose-'));
  const read = (file: string) => readFileSync(join(folder, file), 'utf8').split('\n');
  const find = (file: string, anchor: RegExp) => {
    const at = read(file).findIndex((line) => anchor.test(line));
    if (at < 0) throw new Error(`${file} has no line that matches ${anchor}`);
    return at + 1;
  };
  const splice = (file: string, line: number, removed: number, lines: string[]) => {
    writeFileSync(
      join(folder, file),
      read(file)
        .toSpliced(line - 1, removed, ...lines)
        .join('\n'),
    );
    return line;
  };
  try {
    for (const file of composeFiles) cpSync(join(root, file), join(folder, file));
    writeFileSync(join(folder, 'docker/settings/staging.env'), 'SECRETS_DIR=/var/lib/airlock/secrets\n');
    return use({
      root: folder,
      insert: (file, anchor, ...lines) => splice(file, find(file, anchor) + 1, 0, lines),
      replace: (file, anchor, ...lines) => splice(file, find(file, anchor), 1, lines),
      find,
      remove: (file, anchor) => splice(file, find(file, anchor), 1, []),
      append: (file, ...lines) => appendFileSync(join(folder, file), `${lines.join('\n')}\n`),
      read: (file) => readFileSync(join(folder, file), 'utf8'),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
