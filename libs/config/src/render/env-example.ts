import { type Environment, traitsOf } from '../values/environment.js';
import { groupVariables, metaOf, textFor, type VariableName } from '../variables/schema.js';
import { mayBeFile } from '../sources/sources.js';
import { defaultText } from '../variables/validate.js';

/** Read by compose.override.yml when Compose fills in its variables; the API and the commands know nothing of them. */
const COMPOSE_GROUP = `# --- Docker Compose ---

# The password of the three roles of the PostgreSQL that \`docker compose up\` starts. Only Compose reads it. Secret.
POSTGRES_PASSWORD=changethis

# Where its services answer on this machine.
# API_PORT=8000
# POSTGRES_PORT=5432
# REDIS_PORT=6379`;

/** A commented .env file: what must be set, and as comments what may be, with its default. */
export function renderEnvExample(environment: Environment): string {
  const header = [
    `Configuration of ${environment}. Generated from libs/config/src/variables/schema.ts by \`airlock config example --write\`.`,
    ...introduce(environment),
    'Reference: docs/configuration.md',
  ];
  const groups = groupVariables().map(({ group, names }) => {
    const entries = names
      .filter((name) => metaOf(name).only?.includes(environment) ?? true)
      .map((name) => renderVariable(name, environment));
    return [`# --- ${group} ---`, ...entries].join('\n\n');
  });
  if (traitsOf(environment).mayBeStatedByFile) groups.push(COMPOSE_GROUP);
  return `${[header.map((line) => `# ${line}`).join('\n'), ...groups].join('\n\n')}\n`;
}

function introduce(environment: Environment): string[] {
  const { mayBeStatedByFile, readsEnvFiles } = traitsOf(environment);
  if (mayBeStatedByFile)
    return [
      '`airlock setup` makes .env from this file: with generated passwords in place of changethis, and with other ports',
      'where another clone or another program has these.',
    ];
  if (readsEnvFiles)
    return [
      'Only for tests against a server of yours: `make test` starts one and needs no file.',
      `Copied to .env.${environment} it is the only file that ${environment} reads beside a .env that says ENVIRONMENT=${environment}.`,
    ];
  const name = `${environment.charAt(0).toUpperCase()}${environment.slice(1)}`;
  return [
    `What the platform must set. ${name} reads the process environment and NAME_FILE secrets, never a file like this.`,
  ];
}

function renderVariable(name: VariableName, environment: Environment): string {
  const meta = metaOf(name);
  const isRequired = meta.required?.includes(environment) ?? false;
  const notes = [isRequired && 'Required.', meta.secret && 'Secret.'].filter(Boolean);
  const example = textFor(meta.example, environment);
  const isShown = isRequired || meta.shown?.includes(environment);
  const setting = `${name}=${example ?? defaultText(name, environment) ?? ''}`;
  const lines = [`# ${[meta.description, ...notes].join(' ')}`, isShown ? setting : `# ${setting}`];
  if (isRequired && mayBeFile(name) && !traitsOf(environment).runsLocally) {
    lines.push(`# or as a file: ${name}_FILE=/run/secrets/${name.toLowerCase()}`);
  }
  return lines.join('\n');
}
