import { ENVIRONMENTS, environmentsWithout, listNames } from '../values/environment.js';
import { configRules } from '../rules/find-violations.js';
import { groupVariables, metaOf, variableNames, type VariableName } from '../variables/schema.js';
import { defaultText, describeExpected } from '../variables/validate.js';
import { renderTable } from './markdown-table.js';

/** docs/configuration.md: sources of values, all variables, defaults and rules by environment. */
export function renderReference(): string {
  return `${[INTRODUCTION, renderVariables(), renderDefaults(), renderRules()].join('\n\n')}\n`;
}

const INTRODUCTION = `<!-- Generated from libs/config/src/variables/schema.ts and rules/ by \`airlock config docs --write\`. -->

# Configuration

\`airlock config check\` reports all errors of the configuration at once, with exit code 78.
\`airlock config print\` shows every value and its source. Secrets are never shown.

## Sources of values

- \`ENVIRONMENT\` is required and has no default. It must be set in the process environment. Only development may be set by a
  \`.env\` in the working folder.
- **Development** reads \`.env.development\`, or otherwise \`.env\`. **Testing** reads \`.env.testing\`, or otherwise a \`.env\`
  with \`ENVIRONMENT=testing\`; a \`.env\` of another environment is an error, never a fallback.
- **${listNames(environmentsWithout('readsEnvFiles'), 'and').replace(/^./, (letter) => letter.toUpperCase())}** read the process environment and secret files, and refuse to start while a \`.env\`
  file is in the working folder.
- The process environment overrides the file. For variables that locate data (marked _location_), two sources with
  different values are an error.
- A secret may be set by \`NAME_FILE\`, the path of a file that contains it. Setting both \`NAME\` and \`NAME_FILE\` is an error.
- Values are read exactly: they are not trimmed, only \`true\` and \`false\` are accepted as such, and an empty value is an
  error. So is an unknown name that looks like a misspelt variable.
- \`NODE_ENV\` is derived: development, test in testing, production elsewhere.`;

function renderVariables(): string {
  const groups = groupVariables().map(({ group, names }) => {
    const rows = names.map((name) => [
      `\`${name}\``,
      escape(describeExpected(name)),
      requiredIn(name),
      kindOf(name),
      escape(metaOf(name).description),
    ]);
    return `### ${group}\n\n${renderTable(['Variable', 'Value', 'Required in', 'Kind', 'Meaning'], rows)}`;
  });
  return ['## Variables', ...groups].join('\n\n');
}

function renderDefaults(): string {
  const named = variableNames.filter((name) => metaOf(name).default !== undefined);
  const rows = named.map((name) => [
    `\`${name}\``,
    ...ENVIRONMENTS.map((environment) => {
      const text = defaultText(name, environment);
      return text === undefined ? '' : `\`${text}\``;
    }),
  ]);
  return `## Defaults by environment\n\n${renderTable(['Variable', ...ENVIRONMENTS], rows)}`;
}

function renderRules(): string {
  const rows = [
    ...configRules.map(({ title, environments }) => [
      title,
      ...ENVIRONMENTS.map((one) => (environments.includes(one) ? 'refused' : '')),
    ]),
    ...variableNames
      .filter((name) => metaOf(name).required)
      .map((name) => [
        `no \`${name}\``,
        ...ENVIRONMENTS.map((one) => (metaOf(name).required?.includes(one) ? 'refused' : '')),
      ]),
  ];
  return `## Rejected configurations\n\n${renderTable(
    ['Configuration', ...ENVIRONMENTS],
    rows.map(([title = '', ...cells]) => [escapeStars(title), ...cells]),
  )}`;
}

function requiredIn(name: VariableName): string {
  const required = metaOf(name).required ?? [];
  return required.length === ENVIRONMENTS.length ? 'all' : required.join(', ');
}

function kindOf(name: VariableName): string {
  const { secret, location, file } = metaOf(name);
  return [secret && 'secret', location && 'location', file && 'file'].filter(Boolean).join(', ');
}

/** Outside code spans these characters are Markdown syntax. */
function escape(text: string): string {
  return text.replace(/[*|<]/g, (mark) => `\\${mark}`);
}

function escapeStars(title: string): string {
  return title.replace(/\*(?=[^`]*$)(?<!`[^`]*\*)/g, '\\*');
}
