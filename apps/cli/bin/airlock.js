#!/usr/bin/env node
// In the workspace the command runs from its sources; in an image only the build exists.
import { existsSync } from 'node:fs';

if (existsSync(new URL('../src/main.ts', import.meta.url))) {
  await import('../../../tools/typescript.mjs');
  await import('../src/main.ts');
} else {
  await import('../dist/main.js');
}
