import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ENVIRONMENTS, FIXED_IN_STACKS, type ProgramName, programNames, PROGRAMS, traitsOf } from '@airlock/config';
import { parse } from 'yaml';
import { findManifestProblems } from './manifest-rules.js';
import { isStarted } from './manifests.js';
import { readText, root } from './repository.js';

const run = promisify(execFile);

describe('the manifests', () => {
  it('pass each program exactly the variables that it reads in each environment', async () => {
    expect(await findManifestProblems()).toEqual([]);
  });

  it('and the documents are all named when the schema gets another required secret', async () => {
    const args = [
      '--import',
      join(root, 'checks/src/required-secret.mjs'),
      join(root, 'checks/src/manifests.fixture.ts'),
    ];
    const { stdout } = await run(process.execPath, args, { cwd: root, env: {} });
    const missing = (place: string, program: string, environment: string) =>
      `${place}: ${program}: PLANTED_SECRET is required in ${environment} but not passed`;
    const hosted = (environment: string) => [
      missing('docker/deploy/alibaba/api.yaml', 'api', environment),
      missing('docker/deploy/cloud-run/service.yaml', 'api', environment),
      missing('docker/deploy/fly/README.md', 'api, worker, migrate', environment),
      missing('docker/deploy/railway/.railway/railway.ts', 'api, migrate', environment),
    ];
    const others = await findManifestProblems();
    const problems = (JSON.parse(stdout) as string[]).filter((problem) => !others.includes(problem));
    expect(problems).toEqual(
      [
        missing('compose.preview.yml', 'api', 'preview'),
        missing('compose.staging.yml', 'api', 'staging'),
        missing('compose.production.yml', 'api', 'production'),
        ...hosted('staging'),
        ...hosted('production'),
        'docker/env/preview.env.example: run airlock config example --write',
        'docker/env/staging.env.example: run airlock config example --write',
        'docker/env/production.env.example: run airlock config example --write',
        '.env.example: run airlock config example --write',
        'docker/env/testing.env.example: run airlock config example --write',
        'docs/configuration.md: run airlock config docs --write',
      ].sort(),
    );
  });
});

describe('the table of programs', () => {
  const services = (parse(readText('compose.yml'), { merge: true }) as Compose).services;

  it.each(programNames.filter((name) => name !== 'api'))('starts %s as compose.yml does', (name: ProgramName) => {
    expect(services[name]?.command).toEqual(PROGRAMS[name].command);
  });

  it('names the apps that the image builds and installs, and no other', () => {
    const dockerfile = readText('docker/api.Dockerfile');
    const apps = new Set(Object.values(PROGRAMS).map(({ entry }) => entry.split('/')[1] ?? ''));
    const installed = /prune-lockfile\.mjs \/pruned (.*?) \\$/m.exec(dockerfile)?.[1]?.split(' ') ?? [];
    const built = /--projects=([\w,-]+)/.exec(dockerfile)?.[1]?.split(',') ?? [];
    expect(installed.sort()).toEqual([...apps].map((app) => `apps/${app}`).sort());
    expect(built.sort()).toEqual([...apps].sort());
  });

  it('starts the callback on each platform, with its port', () => {
    const { command, ports } = PROGRAMS.callback;
    for (const path of ['alibaba/callback.yaml', 'cloud-run/callback.yaml', 'fly/callback.toml']) {
      const text = readText(`docker/deploy/${path}`);
      expect(text.replaceAll(/["',[\]]/g, '')).toContain(command.join(' '));
      expect(text).toMatch(new RegExp(`(containerPort|internal_port)[ :=]+${ports.service}\\b`));
    }
    const railway = readText('docker/deploy/railway/.railway/railway.ts');
    expect(railway).toContain(command.join(' '));
    expect(railway).toContain(`PORT: '${ports.service}'`);
    expect(services['callback']?.environment?.['PORT']).toBe(String(ports.service));
  });

  it('starts the API as the image does, with its port and probes', () => {
    const { command, ports, probes } = PROGRAMS.api;
    expect(readText('docker/api.Dockerfile')).toContain(`CMD ${JSON.stringify(command).replace(',', ', ')}`);
    expect(readText('docker/api.Dockerfile')).toContain(`EXPOSE ${ports.service}\n`);
    expect(services['api']?.environment?.['PORT']).toBe(String(ports.service));
    expectProbes('api', { port: ports.service, probes });
  });

  it('starts the worker on each platform with its command and probes', () => {
    const { command, ports, probes } = PROGRAMS.worker;
    expectProbes('worker', { port: ports.management, probes });
    for (const file of ['alibaba/worker.yaml', 'cloud-run/worker.yaml', 'fly/fly.toml', 'railway/.railway/railway.ts'])
      expect(readText(`docker/deploy/${file}`)).toContain(command[1]);
  });

  it.each(
    (['worker', 'outbound'] as const).flatMap((name) =>
      ENVIRONMENTS.map((environment) => [name, environment] as const),
    ),
  )('starts the %s by Compose in %s only if it is used there', (name, environment) => {
    const file = traitsOf(environment).isServedFromSources
      ? 'override'
      : traitsOf(environment).mayBeReset
        ? 'test'
        : environment;
    const overlay = (parse(readText(`compose.${file}.yml`), { merge: true, logLevel: 'silent' }) as Compose).services;
    // `!reset null` is read as a text.
    const isRemoved = name in overlay && typeof overlay[name] !== 'object';
    expect(isRemoved).toBe(!isStarted(name, environment));
  });

  it.each(['fly/fly.toml', 'railway/.railway/railway.ts', 'cloud-run/job.yaml', 'alibaba/migrate.yaml'])(
    'migrates as docker/deploy/%s does',
    (path) => {
      expect(readText(`docker/deploy/${path}`).replaceAll(/[^a-z]+/g, ' ')).toContain(
        PROGRAMS.migrate.command.slice(1).join(' '),
      );
    },
  );
});

function expectProbes(app: string, { port, probes }: { port: number; probes: Readonly<Record<string, string>> }): void {
  const pod = readText(`docker/deploy/alibaba/${app}.yaml`);
  for (const [probe, path] of Object.entries(probes)) {
    expect(pod).toContain(`${probe}Probe: { httpGet: { path: ${path}, port: ${port} }`);
  }
}

describe('docs/docker.md', () => {
  it('gives a reason for each variable that a settings file may not set', () => {
    const text = readText('docs/docker.md').replaceAll(/ +/g, ' ');
    const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| (.+) \|$/gm)].map(([, name, reason]) => [name, reason]);
    expect(Object.fromEntries(rows)).toEqual(FIXED_IN_STACKS);
  });
});

interface Compose {
  readonly services: Readonly<Record<string, { command?: readonly string[]; environment?: Record<string, string> }>>;
}
