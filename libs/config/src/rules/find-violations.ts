import type { Violation } from '../values/config-error.js';
import { connectionRules } from './connection-rules.js';
import { databaseRules } from './database-rules.js';
import type { Facts, ConfigRule } from './config-rule.js';
import { outboundRules } from './outbound-rules.js';
import { runtimeRules } from './runtime-rules.js';
import { secretRules } from './secret-rules.js';
import { serviceRules } from './service-rules.js';
import { storageRules } from './storage-rules.js';
import { timingRules } from './timing-rules.js';

/** The rules about combinations of values, by environment. */
export const configRules: readonly ConfigRule[] = [
  ...serviceRules,
  ...databaseRules,
  ...outboundRules,
  ...storageRules,
  ...secretRules,
  ...connectionRules,
  ...timingRules,
  ...runtimeRules,
];

export function findViolations(facts: Facts, judged: readonly ConfigRule[] = configRules): Violation[] {
  return judged
    .filter(({ environments }) => environments.includes(facts.environment))
    .flatMap((rule) => rule.find(facts));
}
