import type { Violation } from './config-error.js';
import { databaseRules } from './rules/database-rules.js';
import type { Facts, Rule } from './rules/rule.js';
import { runtimeRules } from './rules/runtime-rules.js';
import { secretRules } from './rules/secret-rules.js';
import { serviceRules } from './rules/service-rules.js';
import { timingRules } from './rules/timing-rules.js';

/** Everything that single values cannot say: what may not be true together, and where. */
export const rules: readonly Rule[] = [
  ...serviceRules,
  ...databaseRules,
  ...secretRules,
  ...timingRules,
  ...runtimeRules,
];

export function findViolations(facts: Facts, judged: readonly Rule[] = rules): Violation[] {
  return judged
    .filter(({ environments }) => environments.includes(facts.environment))
    .flatMap((rule) => rule.find(facts));
}
