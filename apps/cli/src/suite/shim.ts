import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { readProcessEnvironment } from '@airlock/config';
import { readRun, waitFor } from './run.js';

/** What can be held back: every answer of the engine, or the record of a release on its way to the swarm. */
export type Held = 'engine' | 'release';

/** A `docker` that stands before the real one, for one deployer alone: the others on this engine notice nothing. */
export interface Shim {
  readonly env: Readonly<Record<string, string>>;
  hold(what: Held): Promise<void>;
  /** When the deployer has come to it. */
  reached(what: Held): Promise<void>;
  letGo(what: Held): Promise<void>;
}

export async function openShim(): Promise<Shim> {
  const folder = await mkdtemp(join(readRun().folder, 'shim-'));
  const { PATH: path = '' } = readProcessEnvironment();
  const real = path.split(delimiter).find((one) => existsSync(join(one, 'docker'))) ?? '';
  await writeFile(join(folder, 'docker'), createScript(folder, join(real, 'docker')), { mode: 0o755 });
  const file = (what: Held) => join(folder, what);
  return {
    env: { PATH: `${folder}${delimiter}${path}` },
    hold: (what) => writeFile(file(what), ''),
    reached: (what) => waitFor(what, () => Promise.resolve(existsSync(`${file(what)}.reached`)), 180_000),
    letGo: (what) => rm(file(what), { force: true }),
  };
}

const createScript = (folder: string, real: string): string => `#!/bin/bash
if [[ "$*" == *"config create"*_release-* ]]; then
  while [[ -e ${folder}/release ]]; do touch ${folder}/release.reached; sleep 0.2; done
  # Held once, it never gets there: whoever sent it may be gone by then.
  [[ ! -e ${folder}/release.reached ]] || exit 1
fi
if [[ -e ${folder}/engine ]]; then
  touch ${folder}/engine.reached
  echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2
  exit 1
fi
exec ${real} "$@"
`;
