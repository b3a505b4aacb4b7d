import { ENVIRONMENTS, environmentsWithout, listNames } from '../values/environment.js';
import { configRules } from '../rules/find-violations.js';
import { groupVariables, metaOf, variableNames, type VariableName } from '../variables/schema.js';
import { defaultText, describeExpected } from '../variables/validate.js';
import { renderTable } from './markdown-table.js';

/** docs/configuration.md: how a value is found, every variable, defaults by environment, rules by environment. */
export function renderReference(): string {
  return `${[INTRODUCTION, renderVariables(), renderDefaults(), renderRules()].join('\n\n')}\n`;
}

const INTRODUCTION = `<!-- Generated from libs/config/src/variables/schema.ts and rules/ by \`airlock config docs --write\`. -->

# Configuration

\`airlock config check\` says whether the configuration is good, with everything that is wrong at once and exit code 78.
\`airlock config print\` shows every value and where it comes from; secrets are never shown.

## Where a value comes from

- \`ENVIRONMENT\` is required and has no default. Only a \`.env\` in the working folder may state it in its place, and only as
  development.
- **Development** reads \`.env.development\`, or else \`.env\`. **Testing** reads \`.env.testing\`, or else a \`.env\` that says
  \`ENVIRONMENT=testing\`; a \`.env\` of another environment is an error, never a fallback.
- **${listNames(environmentsWithout('readsEnvFiles'), 'and').replace(/^./, (letter) => letter.toUpperCase())}** read the process environment and secret files, and refuse to start while a \`.env\`
  file lies in the working folder.
- The process environment wins over the file. For variables that say where data lives (marked _location_), two sources
  with different values are an error.
- A secret may be given as \`NAME_FILE\`, the path of a file that holds it. \`NAME\` and \`NAME_FILE\` together are an error.
- Values are read exactly: no trimming, no other spellings of true and false, and an empty value is an error. A name that
  looks like a misspelt one is an error.
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
    ...ENVIRONMENTS.map((environment) => `\`${defaultText(name, environment)}\``),
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
  return `## What is refused where\n\n${renderTable(
    ['What', ...ENVIRONMENTS],
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

/** Outside code spans these mean something to Markdown. */
function escape(text: string): string {
  return text.replace(/[*|<]/g, (mark) => `\\${mark}`);
}

function escapeStars(title: string): string {
  return title.replace(/\*(?=[^`]*$)(?<!`[^`]*\*)/g, '\\*');
}
