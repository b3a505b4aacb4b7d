import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { listFiles, readJson, readText, root } from './repository.js';

const projects = listFiles(/^(apps|libs)\/[^/]+\/package\.json$/).map((path) => path.replace('/package.json', ''));

describe.each(projects)('%s', (project) => {
  it('has a README', () => {
    expect(readdirSync(`${root}/${project}`)).toContain('README.md');
  });

  it('keeps its sources directly in src', () => {
    expect(readdirSync(`${root}/${project}/src`)).not.toContain('lib');
  });

  it('has an index of at most 25 lines without wildcards', () => {
    for (const index of listFiles(new RegExp(`^${project}/src/(\\w+/)?index\\.ts$`))) {
      expect(readText(index).trimEnd().split('\n').length).toBeLessThanOrEqual(25);
      expect(readText(index)).not.toMatch(/export \*/);
    }
  });
});

describe('an app', () => {
  const apps = projects.filter((project) => project.startsWith('apps/')).map((project) => project.replace('apps/', ''));

  it.each(apps)('%s names no path of another: the table of programs has them', (app) => {
    const others = apps.filter((other) => other !== app).join('|');
    const sources = listFiles(new RegExp(`^apps/${app}/src/(?!suite/).*(?<!\\.spec|\\.fixture)\\.(ts|mjs)$`));
    const path = new RegExp(`['"\`/](apps/(${others})|\\.\\./(${others}))/?['"\`/]`);
    expect(sources.filter((source) => path.test(readText(source)))).toEqual([]);
    expect(path.test(`'apps/${others.split('|')[0] ?? ''}/src/main.ts'`)).toBe(true);
  });
});

describe('the targets of Nx', () => {
  interface Target {
    readonly dependsOn?: readonly (string | { readonly projects?: readonly string[]; readonly target: string })[];
  }
  const manifests = listFiles(/^((apps|libs)\/[^/]+|checks|docker)\/package\.json$/).map((path) =>
    readJson<{ nx: { name: string; targets: Record<string, Target> } }>(path),
  );
  const known = new Set(manifests.flatMap(({ nx }) => Object.keys(nx.targets).map((target) => `${nx.name}:${target}`)));

  it('depend only on targets that exist', () => {
    const named = manifests.flatMap(({ nx }) =>
      Object.values(nx.targets).flatMap(({ dependsOn = [] }) =>
        dependsOn.flatMap((one) =>
          typeof one === 'string' ? [] : (one.projects ?? []).map((name) => `${name}:${one.target}`),
        ),
      ),
    );
    expect(named).toContain('database-dev:serve');
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('the repository', () => {
  it('mounts the sources of every library where Docker serves edits', () => {
    const libraries = projects.filter((project) => project.startsWith('libs/'));
    const mounted = [...readText('compose.override.yml').matchAll(/^ +- \.\/(libs\/[\w-]+)\/src:\/app\/\1\/src:ro$/gm)];
    expect(mounted.map(([, library]) => library)).toEqual(libraries.sort());
  });

  it('tracks no generated or ignored file', () => {
    expect(listFiles(/(^|\/)(dist|node_modules|\.nx|\.airlock)\//)).toEqual([]);
  });

  it('commits no environment file except the examples', () => {
    expect(listFiles(/(^|\/)\.env(\.|$)|\.env$/).filter((path) => !/\.example$|\/example\.env$/.test(path))).toEqual(
      [],
    );
  });
});
