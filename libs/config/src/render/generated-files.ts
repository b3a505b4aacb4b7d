import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ENVIRONMENTS } from '../values/environment.js';
import { examplePathOf } from '../values/example-path.js';
import { renderEnvExample } from './env-example.js';
import { renderReference } from './reference.js';

export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
  /** The command that writes the file. */
  readonly command: string;
}

export function renderExamples(): GeneratedFile[] {
  const command = 'airlock config example --write';
  return ENVIRONMENTS.map((environment) => ({
    path: examplePathOf(environment),
    content: renderEnvExample(environment),
    command,
  }));
}

export function renderDocs(): GeneratedFile[] {
  return [{ path: 'docs/configuration.md', content: renderReference(), command: 'airlock config docs --write' }];
}

export function writeGenerated(files: readonly GeneratedFile[], root: string): void {
  for (const { path, content } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}
