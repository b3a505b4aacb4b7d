import { composeRules, type ComposeRule } from './compose-rules.js';
import { OVERLAYS, renderModel, sourceFiles, type OverlayModel, type Overlay } from './compose-overlays.js';
import { locate } from './locate.js';

/** `file:line: RULE path: problem` for each problem that `rules` find in the model of `overlay`. */
export function checkModel(
  root: string,
  overlay: Overlay,
  model: OverlayModel,
  rules: readonly ComposeRule[] = composeRules,
) {
  return rules
    .filter((rule) => rule.scope.includes(overlay))
    .flatMap((rule) =>
      rule.check(model, overlay).map(({ path, problem }) => {
        const where = locate(root, sourceFiles(overlay), path);
        return `${where}: ${rule.id} ${path.join('.')}: ${problem}`;
      }),
    );
}

/**
 * The table of rules and environments, one line each: `✗` if a rule is broken, `·` if it does not apply. Below it
 * every breach with file and line.
 */
export function tabulate(root: string): { table: string; breaches: readonly string[] } {
  const cells = OVERLAYS.map((overlay) => {
    const model = renderModel(root, overlay);
    const breaches = composeRules.map((rule) => checkModel(root, overlay, model, [rule]));
    const marks = composeRules.map(({ scope }, at) =>
      !scope.includes(overlay) ? '·' : breaches[at]?.length ? '✗' : 'ok',
    );
    return { overlay, marks, breaches: breaches.flat() };
  });
  const rows = [
    ['rule', ...cells.map(({ overlay }) => overlay)],
    ...composeRules.map(({ id, title }, at) => [id, ...cells.map(({ marks }) => marks[at] ?? ''), title]),
  ];
  const widths = ['C1.security_opt', ...OVERLAYS].map((text) => text.length + 2);
  const lines = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('')
      .trimEnd(),
  );
  return { table: lines.join('\n'), breaches: cells.flatMap((cell) => cell.breaches) };
}
