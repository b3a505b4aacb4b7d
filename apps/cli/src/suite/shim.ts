import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { readProcessEnvironment } from '@airlock/config';
import { readRun, waitFor } from './run.js';

/** The calls that can be held back: every response of the engine, or saving the record of a release. */
export type Held = 'engine' | 'release';

/** A wrapper of `docker` for one deployer. Other users of the engine are not affected. */
export interface Shim {
  readonly env: Readonly<Record<string, string>>;
  hold(what: Held): Promise<void>;
  /** Resolves when the deployer has reached the held call. */
  reached(what: Held): Promise<void>;
  release(what: Held): Promise<void>;
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
    release: (what) => rm(file(what), { force: true }),
  };
}

const createScript = (folder: string, real: string): string => `#!/bin/bash
if [[ "$*" == *"config create"*_release-* ]]; then
  while [[ -e ${folder}/release ]]; do touch ${folder}/release.reached; sleep 0.2; done
  # A held call never completes: its deployer may have been killed by then.
  [[ ! -e ${folder}/release.reached ]] || exit 1
fi
if [[ -e ${folder}/engine ]]; then
  touch ${folder}/engine.reached
  echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2
  exit 1
fi
exec ${real} "$@"
`;
