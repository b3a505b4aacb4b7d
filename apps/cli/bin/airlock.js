#!/usr/bin/env node
// In the workspace the command runs from its sources; in an image only the build exists.
import { existsSync, readFileSync } from 'node:fs';

// Nx sets FORCE_COLOR for every command, and Node warns if NO_COLOR is set too. The user's NO_COLOR wins.
if (process.env.NO_COLOR) delete process.env.FORCE_COLOR;

const sources = new URL('../src/main.ts', import.meta.url);
if (!existsSync(sources)) {
  await import('../dist/main.js');
} else if (isOtherNode()) {
  console.error(
    `airlock: runs on Node ${process.versions.node}; expected the version in the lockfile\n` +
      '  use: npx airlock …, or once per shell: export PATH="$PWD/node_modules/.bin:$PATH"',
  );
  process.exitCode = 2;
} else {
  await import('../../../tools/typescript.mjs');
  await import('../src/main.ts');
}

/** Run by its path, the command uses the Node of the machine, which may be too old for its sources. */
function isOtherNode() {
  const [major] = readFileSync(new URL('../../../.node-version', import.meta.url), 'utf8').split('.');
  return process.versions.node.split('.')[0] !== major;
}
