import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { skipUnless } from '@airlock/config/testing';
import { composeFiles, root } from './compose-copy.fixture.js';
import { sampleSettingsFile } from './compose-overlays.js';
import { attempt } from './engine.fixture.js';

/** The refusals of `docker/compose` before it starts anything. Needs Compose, but no engine. */
let folder: string;
let command: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'compose-command-'));
  // Outside the checkout, which may have settings of the developer.
  command = join(folder, 'checkout/docker/compose');
  for (const file of ['docker/compose', 'docker/unused-settings.awk', ...composeFiles])
    cpSync(join(root, file), join(folder, 'checkout', file));
});
afterAll(() => rmSync(folder, { recursive: true }));

const itAsOther = skipUnless(process.getuid?.() !== 1000, it, 'this user is 1000');
const refusal = (args: readonly string[], settings: Record<string, string> = {}) => {
  const { status, output } = attempt(command, args, folder, settings);
  return [status, output];
};

describe('docker/compose', () => {
  it.each([
    ['-f compose.override.yml'],
    ['-fcompose.override.yml'],
    ['--file=compose.override.yml'],
    ['--profile tools -f compose.override.yml'],
    ['--progress plain --profile=tools --file compose.override.yml'],
    ['--env-file .env'],
    ['-p other'],
    ['--project-name=other'],
    ['--project-directory /'],
  ])('sets the files and the project itself: refuses %s', (options) => {
    const word = /(-f\S*|--file\S*|--env-file|-p|--project-\S+)/.exec(options.replace(/--pro(file|gress)/g, ''))?.[0];
    expect(refusal(['production', ...options.split(' '), 'config'])).toEqual([
      64,
      `docker/compose: ${word} is set by the environment; expected it to be left out\n  docker/compose production config\n`,
    ]);
  });

  it('accepts options of the command in the container', () => {
    const [status, output] = refusal(['testing', 'run', '-f', 'nothing']);
    expect([status, output]).toEqual([
      expect.not.stringMatching('^64$'),
      expect.not.stringContaining('is set by the environment'),
    ]);
  });

  it.each(['COMPOSE_FILE', 'COMPOSE_PROFILES', 'COMPOSE_ENV_FILES'])('refuses %s outside development', (name) => {
    expect(refusal(['testing', 'config'], { [name]: 'other' })).toEqual([
      64,
      `${name}: is set, and would change the files or settings of testing; expected it to be unset\n  unset ${name}\n`,
    ]);
  });

  it.each(['', 'prod', 'preview-', 'preview-0', 'preview-4x', 'Production', '../production'])(
    'rejects the environment "%s"',
    (word) => {
      const [status, output] = refusal(word === '' ? [] : [word, 'up']);
      expect([status, output]).toEqual([
        64,
        expect.stringContaining('expected development, testing, preview-NUMBER, staging or production'),
      ]);
    },
  );

  it('requires the number of a preview', () => {
    expect(refusal(['preview', 'up'])).toEqual([
      64,
      'docker/compose: preview has no number; expected the number of the pull request\n  docker/compose preview-42 up\n',
    ]);
  });

  it('requires the settings of a host', () => {
    expect(refusal(['production', 'config'])).toEqual([
      64,
      'docker/settings/production.env: is missing; expected the settings of production\n' +
        '  cp docker/settings/example.env docker/settings/production.env, then edit the copy\n',
    ]);
  });

  it('reads the settings of a host from its file, and none from the shell', () => {
    const file = join(folder, 'checkout/docker/settings/staging.env');
    writeFileSync(file, `${sampleSettingsFile}WORKERS=3\n`);
    const shell = { DEBUG: 'true', WORKERS: '9', CORS_ORIGINS: 'https://elsewhere.example.com' };
    const [status, output] = refusal(['staging', 'config'], shell);
    rmSync(file);
    expect([status, output]).toEqual([0, expect.stringMatching(/WORKERS: "3"/)]);
    expect(output).not.toMatch(/DEBUG: "true"|elsewhere/);
  });

  // Files of user 1000 may be private, because that is the container's user.
  itAsOther('requires sources that a container can read', () => {
    const source = join(folder, 'checkout/apps/api/src/main.ts');
    mkdirSync(join(source, '..'), { recursive: true });
    writeFileSync(source, '');
    expect(refusal(['development', 'config', '--quiet'], { POSTGRES_PASSWORD: 'x' })).toEqual([0, '']);
    chmodSync(source, 0o600);
    expect(refusal(['development', 'config'])).toEqual([
      64,
      "apps/api/src/main.ts: is readable only by you; expected files that the container's user 1000 can read too\n" +
        '  chmod -R go+rX apps libs tools docker\n',
    ]);
  });

  it('requires a version of Compose that supports its files', () => {
    const plugin = join(folder, 'config/cli-plugins/docker-compose');
    mkdirSync(join(plugin, '..'), { recursive: true });
    const metadata = `{"SchemaVersion":"0.1.0","Vendor":"spec","Version":"v2.24.3"}`;
    const answer = `[ "$1" = docker-cli-plugin-metadata ] && echo '${metadata}' || echo v2.24.3`;
    writeFileSync(plugin, `#!/bin/sh\n${answer}\n`);
    chmodSync(plugin, 0o755);
    expect(refusal(['development', 'up'], { DOCKER_CONFIG: join(folder, 'config') })).toEqual([
      64,
      'docker compose: is v2.24.3; expected 2.24.4 or newer\n' +
        '  update Docker Desktop, or the package docker-compose-plugin\n',
    ]);
  });

  it('reports that Docker is missing', () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    for (const tool of ['bash', 'dirname', 'head', 'sort'])
      symlinkSync(execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(), join(bin, tool));
    const { status, output } = attempt('env', ['-i', `PATH=${bin}`, command, 'development', 'up'], folder);
    expect([status, output]).toEqual([
      64,
      'docker compose: does not respond; expected Docker with Compose 2.24.4 or newer\n' +
        '  install Docker Desktop, or the packages of docs.docker.com/engine/install\n',
    ]);
  });
});
