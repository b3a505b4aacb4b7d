import type { LintRule } from './lint-rule.js';
import { accessRules } from './access-rules.js';
import { constraintRules } from './constraint-rules.js';
import { dataRules } from './data-rules.js';
import { domainRules } from './domain-rules.js';
import { dropRules } from './drop-rules.js';
import { enumRules } from './enum-rules.js';
import { extensionRules } from './extension-rules.js';
import { hiddenRules } from './hidden-rules.js';
import { indexRules } from './index-rules.js';
import { renameRules } from './rename-rules.js';
import { rewriteRules } from './rewrite-rules.js';
import { typeRules } from './type-rules.js';

export const lintRules: readonly LintRule[] = [
  ...dropRules,
  ...renameRules,
  ...rewriteRules,
  ...constraintRules,
  ...indexRules,
  ...typeRules,
  ...domainRules,
  ...enumRules,
  ...dataRules,
  ...accessRules,
  ...hiddenRules,
  ...extensionRules,
];
