// Compiles TypeScript for Jest. The key of a result has neither the folder nor the name of a project, so that a file is
// compiled once for all of them.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import swc from '@swc/jest';
import { swcOptions } from '../swc-options.mjs';

const { version } = createRequire(import.meta.url)('@swc/core/package.json');

export default {
  ...swc.createTransformer({ ...swcOptions, sourceMaps: 'inline' }),
  getCacheKey: (source, filename, { instrument, supportsStaticESM }) =>
    createHash('sha256')
      .update(JSON.stringify([version, swcOptions, instrument, supportsStaticESM, filename, source]))
      .digest('hex'),
};
