import { describe, expect, it } from '@jest/globals';
import { listFiles, readJson, readText } from './repository.js';

interface Manifest {
  engines: { node: string };
  devDependencies: Record<string, string>;
}

const pinned = readText('.node-version').trim();
const major = pinned.split('.')[0];

describe('the Node version', () => {
  it('is exact in .node-version', () => {
    expect(pinned).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('is the one that package.json installs', () => {
    const manifest = readJson<Manifest>('package.json');
    expect(manifest.devDependencies['node']).toBe(pinned);
    expect(manifest.engines.node).toBe(`${major}.x`);
  });

  it('is the one in the lockfile', () => {
    const lock = readJson<{ packages: Record<string, { version?: string }> }>('package-lock.json');
    expect(lock.packages['node_modules/node']?.version).toBe(pinned);
  });

  it('runs these specs', () => {
    expect(process.versions.node).toBe(pinned);
  });

  it('is the major version of every Node image', () => {
    const images = listFiles(/Dockerfile$/).flatMap((path) => [...readText(path).matchAll(/\bnode:(\d+)[\w.-]*/g)]);
    expect([...new Set(images.map((match) => match[1]))].filter((version) => version !== major)).toEqual([]);
  });

  it('is the whole version of every Node image that is named in full', () => {
    const named = listFiles(/\.(ts|mjs|sh|ya?ml|md)$|Dockerfile$|^docker\/[\w-]+$/).flatMap((path) =>
      [...readText(path).matchAll(/\bnode:(\d+\.\d+\.\d+)/g)].map(([, version]) => ({ path, version })),
    );
    expect(named.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['docker/api.Dockerfile', 'docker/pin-images']),
    );
    expect(named.filter(({ version }) => version !== pinned)).toEqual([]);
  });

  it('is taken from .node-version by every workflow that sets Node up', () => {
    const steps = listFiles(/^\.github\/.*\.ya?ml$/).flatMap((path) =>
      [...readText(path).matchAll(/uses: actions\/setup-node@[^\n]*\n((?: {6,}.*\n)*)/g)].map(([, options = '']) => ({
        path,
        options,
      })),
    );
    expect(steps.length).toBeGreaterThan(1);
    expect(steps.filter(({ options }) => !options.includes('node-version-file: .node-version'))).toEqual([]);
    expect(steps.filter(({ options }) => /node-version: /.test(options))).toEqual([]);
  });
});
