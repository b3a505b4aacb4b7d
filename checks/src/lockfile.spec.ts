import { describe, expect, it } from '@jest/globals';
import { readJson, readText } from './repository.js';

interface LockedPackage {
  version?: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const { packages } = readJson<{ packages: Record<string, LockedPackage> }>('package-lock.json');
const entries = Object.entries(packages);
const manifest = readJson<{ allowScripts: Record<string, boolean>; scripts: Record<string, string> }>('package.json');

describe('package-lock.json', () => {
  it('names no registry host', () => {
    expect(entries.filter(([, entry]) => /^https?:/.test(entry.resolved ?? '')).map(([path]) => path)).toEqual([]);
  });

  // One platform package that was never published makes `npm ci` reject the whole file, on every platform.
  it('contains the packages of every platform', () => {
    const names = new Set(entries.map(([path]) => path.replace(/^.*node_modules\//, '')));
    const wanted = entries.flatMap(([, entry]) => Object.keys(entry.optionalDependencies ?? {}));
    expect(wanted.filter((name) => !names.has(name))).toEqual([]);
  });

  it('contains every Nx package at one version', () => {
    const versions = entries
      .filter(([path]) => /^node_modules\/(nx|@nx\/[\w-]+)$/.test(path))
      .map(([, e]) => e.version);
    expect([...new Set(versions)]).toHaveLength(1);
  });
});

describe('install scripts', () => {
  it('are denied for all packages by .npmrc', () => {
    expect(readText('.npmrc')).toMatch(/^ignore-scripts=true$/m);
  });

  it('run for the listed few only, in both places that list them', () => {
    const rebuilt = manifest.scripts['rebuild:allowed']?.split(' ').filter((word) => word in manifest.allowScripts);
    expect(rebuilt?.sort()).toEqual(Object.keys(manifest.allowScripts).sort());
  });
});
