import { describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { listEnvironmentFiles } from './environment-files.js';
import { readText, root } from './repository.js';
import { loadFiles } from './workflow-files.js';

/** The rows of a Markdown table by their first cell, from the first table that has such a row. */
function readRow(path: string, name: string): string[] {
  const line = readText(path)
    .split('\n')
    .find((text) => text.replaceAll(/[*`]/g, '').startsWith(`| ${name} `));
  return (line ?? '')
    .split('|')
    .slice(2, -1)
    .map((cell) => cell.replaceAll(/[*`]/g, '').trim());
}

const described = (name: string): string[] => readRow('docs/environments.md', name);

/** The values of docs/configuration.md, which is generated from the schema, for each of the five environments. */
const configured = (name: string): string[] =>
  readText('docs/configuration.md')
    .split('\n')
    .filter((text) => text.startsWith(`| \`${name}\``))
    .map((text) =>
      text
        .split('|')
        .slice(2, -1)
        .map((cell) => cell.replaceAll('`', '').trim()),
    )
    .find((cells) => cells.length === 5 && cells.every(Boolean)) ?? [];

describe('an environment', () => {
  it('has every file that it needs in addition to its row in the table', () => {
    expect(listEnvironmentFiles().filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe('docs/environments.md', () => {
  it('lists the five in the order of the configuration', () => {
    const [heading = ''] = /^\|\s+\| development.*$/m.exec(readText('docs/environments.md')) ?? [];
    expect(
      heading
        .split('|')
        .slice(2, -1)
        .map((cell) => cell.trim()),
    ).toEqual(['development', 'testing', 'preview', 'staging', 'production']);
  });

  it('answers every question of an operator for every environment', () => {
    for (const name of [
      'Purpose',
      'Branch',
      'URL',
      'Data',
      'Secrets',
      'Migrations',
      'Monitoring',
      'Backups',
      'Deployed by',
    ]) {
      expect([name, described(name).filter(Boolean).length]).toEqual([name, 5]);
    }
  });

  it('has the log level and format of the schema', () => {
    const [levels, formats] = [configured('LOG_LEVEL'), configured('LOG_FORMAT')];
    expect(described('Log')).toEqual(levels.map((level, index) => `${level}, ${formats[index]}`));
  });

  it('has the pages where the schema has them', () => {
    expect(described('Pages (WITH_UI)')).toEqual(configured('WITH_UI').map((on) => (on === 'true' ? 'on' : 'off')));
  });

  it.each([
    ['preview', 2],
    ['staging', 3],
    ['production', 4],
  ])('has the replicas and limits of compose.%s.yml', (name, column) => {
    const { api } = (parse(readText(`compose.${name}.yml`), { logLevel: 'silent' }) as Overlay).services;
    const { cpus, memory } = api.deploy.resources.limits;
    const size = memory.replace(/M$/, ' MB').replace(/G$/, ' GB');
    expect(described('API: replicas × limit')[column]).toBe(`${api.deploy.replicas} × ${cpus} CPU, ${size}`);
  });
});

describe('docs/ci-pipeline.md and docs/secrets.md', () => {
  it('name every variable and secret that the workflows read', () => {
    const used = Object.values(loadFiles()).flatMap((text) => [
      ...text.matchAll(/(?:vars|secrets|fromJSON\(inputs\.variables\))\.(\w+)/g),
    ]);
    const text = readText('docs/ci-pipeline.md') + readText('docs/secrets.md');
    expect([...new Set(used.map(([, name = '']) => name))].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it('have a row for each rule of the workflows', async () => {
    const { workflowRules } = await import('./workflow-rules.js');
    expect(workflowRules.map(({ id }) => id).filter((id) => readRow('docs/ci-pipeline.md', id).length === 0)).toEqual(
      [],
    );
  });
});

interface Overlay {
  services: { api: { deploy: { replicas: number; resources: { limits: { cpus: string; memory: string } } } } };
}
