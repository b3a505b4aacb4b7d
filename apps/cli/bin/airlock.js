#!/usr/bin/env node
// In the workspace the command runs from its sources; in an image only the build exists.
import { existsSync, readFileSync } from 'node:fs';

// Nx asks every command for colours, also where the user asked for none; Node warns where both are asked for.
if (process.env.NO_COLOR) delete process.env.FORCE_COLOR;

const sources = new URL('../src/main.ts', import.meta.url);
if (!existsSync(sources)) {
  await import('../dist/main.js');
} else if (isOtherNode()) {
  console.error(
    `airlock: this is Node ${process.versions.node}; expected the one of the lockfile\n` +
      '  npx airlock …, or once: export PATH="$PWD/node_modules/.bin:$PATH"',
  );
  process.exitCode = 2;
} else {
  await import('../../../tools/typescript.mjs');
  await import('../src/main.ts');
}

/** Run by its path, the command meets the Node of the machine, which may be too old for its sources. */
function isOtherNode() {
  const [major] = readFileSync(new URL('../../../.node-version', import.meta.url), 'utf8').split('.');
  return process.versions.node.split('.')[0] !== major;
}
