import type { Rule } from '../rule.js';
import { accessRules } from './access.js';
import { constraintRules } from './constraints.js';
import { dataRules } from './data.js';
import { dropRules } from './drops.js';
import { extensionRules } from './extensions.js';
import { hiddenRules } from './hidden.js';
import { indexRules } from './indexes.js';
import { renameRules } from './renames.js';
import { rewriteRules } from './rewrites.js';
import { typeRules } from './types.js';

export const rules: readonly Rule[] = [
  ...dropRules,
  ...renameRules,
  ...rewriteRules,
  ...constraintRules,
  ...indexRules,
  ...typeRules,
  ...dataRules,
  ...accessRules,
  ...hiddenRules,
  ...extensionRules,
];
