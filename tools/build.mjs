// Compiles src/ of the project in the working folder to dist/. Leaves out specs, and the folders that the project's
// package.json lists under "airlock.unshipped": code that must not exist in an image.
import { cp, glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { transformFile } from '@swc/core';
import { swcOptions } from './swc-options.mjs';

const manifest = JSON.parse(await readFile('package.json', 'utf8'));
const unshipped = manifest['airlock']?.unshipped ?? [];
const isShipped = (path) =>
  !/\.(spec|fixture)\.\w+$/.test(path) && !unshipped.some((folder) => path.startsWith(`src/${folder}/`));

await rm('dist', { recursive: true, force: true });
for await (const path of glob('src/**/*.*')) {
  if (!isShipped(path)) continue;
  const target = join('dist', relative('src', path));
  await mkdir(dirname(target), { recursive: true });
  if (path.endsWith('.ts')) {
    const { code } = await transformFile(path, swcOptions);
    await writeFile(target.replace(/\.ts$/, '.js'), code);
  } else {
    await cp(path, target);
  }
}
