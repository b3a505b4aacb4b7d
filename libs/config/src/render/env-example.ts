import { type Environment, traitsOf } from '../values/environment.js';
import { groupVariables, metaOf, textFor, type VariableName } from '../variables/schema.js';
import { mayBeFile } from '../sources/sources.js';
import { defaultText } from '../variables/validate.js';

/** Variables of compose.override.yml. The API and the commands do not read them. */
const COMPOSE_GROUP = `# --- Docker Compose ---

# The password of the three roles of the PostgreSQL that \`docker compose up\` starts. Only Compose reads it. Secret.
POSTGRES_PASSWORD=changethis

# The ports of its services on this machine.
# API_PORT=8000
# POSTGRES_PORT=5432
# REDIS_PORT=6379`;

/** A .env example: required variables, and optional ones as comments with their defaults. */
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
      '`airlock setup` creates .env from this file. It replaces changethis by generated passwords, and ports that another',
      'clone or program uses by free ones.',
    ];
  if (readsEnvFiles)
    return [
      'Only for tests on your own server: `make test` starts a server and requires no file.',
      `Copy it to .env.${environment}. Without that file, ${environment} reads a .env with ENVIRONMENT=${environment}.`,
    ];
  const name = `${environment.charAt(0).toUpperCase()}${environment.slice(1)}`;
  return [
    `The platform must set these variables. ${name} reads the process environment and NAME_FILE secrets, never .env files.`,
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
