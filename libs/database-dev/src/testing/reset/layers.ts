import { intent } from './l0-intent.js';
import { oneParser } from './l1-one-parser.js';
import { allowList } from './l2-allow-list.js';
import { role } from './l3-role.js';
import { identity } from './l4-identity.js';
import { tripwires } from './l5-tripwires.js';
import { method } from './l6-method.js';
import { protectedSide } from './l7-protected-side.js';
import { absence } from './l8-absence.js';
import { contents } from './l9-contents.js';
import { template } from './l10-template.js';
import { audit } from './l11-audit.js';
import type { Layer } from './layer.js';

/** Each can refuse alone. A test removes them one by one, and fails unless some attack then succeeds. */
export const LAYERS: readonly Layer[] = [
  intent,
  oneParser,
  allowList,
  role,
  identity,
  tripwires,
  method,
  protectedSide,
  absence,
  contents,
  template,
  audit,
];
