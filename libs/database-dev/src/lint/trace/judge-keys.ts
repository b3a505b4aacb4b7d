import type { LintProblem } from '../rules/lint-rule.js';
import { quoteIdentifier } from '../syntax/names.js';
import { identifyWithOwner, referWithOwner } from './key-advice.js';
import type { Reference, TracedKey } from './key-state.js';

type KeyProblem = LintProblem & { readonly rule: string };

/** Keys whose checks and actions bypass the row-level security between owners. */
export function judgeKeys(exposed: readonly TracedKey[]): KeyProblem[] {
  return exposed.map((key) =>
    key.reference === null ? judgeUniqueKey(key) : judgeForeignKey({ ...key, reference: key.reference }),
  );
}

function judgeForeignKey(key: TracedKey & { readonly reference: Reference }): KeyProblem {
  const rule = 'ownerless-foreign-key';
  const { table, name, owner, targetOwner, reference } = key;
  const effect = `it accepts the id of another owner's row, and so tells whether that row exists${describeChange(reference)}`;
  if (owner === undefined || targetOwner === undefined)
    return describeUnknown({ rule, name, effect, table: owner === undefined ? table : reference.table });
  return {
    rule,
    problem: `${name} does not compare ${table}.${quoteIdentifier(owner)} with ${reference.table}.${quoteIdentifier(targetOwner)}: ${effect}`,
    instead: referWithOwner(key, { owner, targetOwner }),
  };
}

function describeChange({ onDelete, onUpdate }: Reference): string {
  const actions = [
    ...(/^(CASCADE|SET)/.test(onDelete ?? '') ? [`ON DELETE ${onDelete}`] : []),
    ...(/^(CASCADE|SET)/.test(onUpdate ?? '') ? [`ON UPDATE ${onUpdate}`] : []),
  ];
  return actions.length === 0 ? '' : `; ${actions.join(' and ')} may change rows of other owners`;
}

function judgeUniqueKey(key: TracedKey): KeyProblem {
  const rule = 'ownerless-unique-key';
  const { table, name, owner } = key;
  const effect = `it rejects the values of another owner's row, and so tells that such a row exists`;
  if (owner === undefined) return describeUnknown({ rule, name, effect, table });
  return {
    rule,
    problem: `${name} does not contain ${table}.${quoteIdentifier(owner)}: ${effect}`,
    instead: identifyWithOwner(key, owner),
  };
}

function describeUnknown(facts: Readonly<Record<'rule' | 'name' | 'effect' | 'table', string>>): KeyProblem {
  const { rule, name, effect, table } = facts;
  return {
    rule,
    problem: `${name} contains no owner, because the policies of ${table} do not all compare one column with app.user_id: ${effect}`,
    instead: `compare the owner column with current_setting('app.user_id', true) in the policies, and add it to the key; if other users may know, say why: allow: { '${rule}': '<why>' }`,
  };
}
