import { composeRules, type ComposeRule } from './compose-rules.js';
import { OVERLAYS, renderModel, sourceFiles, type Model, type Overlay } from './compose-model.js';
import { locate } from './locate.js';

/** `file:line: RULE path: problem` for everything that `rules` find in the model of `overlay`. */
export function checkModel(root: string, overlay: Overlay, model: Model, rules: readonly ComposeRule[] = composeRules) {
  return rules
    .filter((rule) => rule.scope.includes(overlay))
    .flatMap((rule) =>
      rule.check(model, overlay).map(({ path, problem }) => {
        const where = locate(root, sourceFiles(overlay), path);
        return `${where}: ${rule.id} ${path.join('.')}: ${problem}`;
      }),
    );
}

/** The table of rules and environments, one line each; `✗` where a rule is broken, `·` where it does not count. */
export function tabulate(root: string): string {
  const models = OVERLAYS.map((overlay) => [overlay, renderModel(root, overlay)] as const);
  const verdict = (rule: ComposeRule, overlay: Overlay, model: Model) => {
    if (!rule.scope.includes(overlay)) return '·';
    return checkModel(root, overlay, model, [rule]).length === 0 ? 'ok' : '✗';
  };
  const rows = composeRules.map((rule) => [
    rule.id,
    ...models.map(([overlay, model]) => verdict(rule, overlay, model)),
    rule.title,
  ]);
  const head = ['rule', ...OVERLAYS, ''];
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(at === 0 ? 18 : 12))
        .join('')
        .trimEnd(),
    )
    .join('\n');
}
