import { fileURLToPath } from 'node:url';
import type { Environment } from '@airlock/config';
import { Command, InvalidArgumentError } from 'commander';
import { collect } from '../command-line/deploy-options.js';

const FOLDER = fileURLToPath(new URL('../../../../.airlock/local-issuer/', import.meta.url));

export function tokenCommand(): Command {
  return new Command('token')
    .description('print a bearer token of the local issuer, for development and testing')
    .requiredOption('--sub <user>', 'the user id in the token, such as user_ada')
    .option('--role <name>', 'a role of the user, repeatable, such as support', collect)
    .option('--expires-in <span>', 'the time until the token expires, such as 15m', parseSpan, '12h')
    .addHelpText(
      'after',
      '\nExample:\n  curl -H "Authorization: Bearer $(airlock token --sub user_ada)" localhost:8000/api/v1/RESOURCE',
    )
    .action(async ({ sub, role: roles, expiresIn }: { sub: string; role?: readonly string[]; expiresIn: string }) => {
      await assertSubject(sub);
      const { createLocalToken, environment } = await loadIssuer();
      console.log(await createLocalToken({ environment, sub, ...(roles && { roles }), expiresIn, folder: FOLDER }));
    });
}

/** The issuer is not shipped: an image cannot import it, whatever its environment is. */
async function loadIssuer(): Promise<typeof import('../local-issuer/local-issuer.js') & { environment: Environment }> {
  const { environmentsWith, listNames, traitsOf } = await import('@airlock/config');
  const { loadConfig } = await import('@airlock/config/loading');
  const { environment } = loadConfig();
  const expected = listNames(environmentsWith('trustsLocalIssuer'));
  if (!traitsOf(environment).trustsLocalIssuer) throw refusal(`this is ${environment}`, { expected });
  try {
    return { ...(await import('../local-issuer/local-issuer.js')), environment };
  } catch (cause) {
    throw refusal('the local issuer is not part of an image', { expected, cause });
  }
}

function refusal(problem: string, { expected, cause }: { expected: string; cause?: unknown }): Error {
  const message =
    `ENVIRONMENT: ${problem}; expected ${expected}, in the workspace\n` +
    '  tokens of other environments come from their issuer, AUTH_ISSUER';
  return Object.assign(new Error(message, { cause }), { exitCode: 3 });
}

/** Applies the rule of the API, which would reject the token. The rule is loaded only when a token is created. */
async function assertSubject(text: string): Promise<void> {
  const { findUserIdProblem, USER_ID_RULE } = await import('@airlock/config');
  if (text !== '' && !findUserIdProblem(text)) return;
  const problem = `--sub: is ${JSON.stringify(text)}; expected the id of a user: ${USER_ID_RULE}`;
  throw Object.assign(new Error(`${problem}\n  see: airlock token --help`), { exitCode: 2 });
}

function parseSpan(text: string): string {
  if (!/^[1-9]\d{0,5}[smhd]$/.test(text)) throw new InvalidArgumentError('expected a time span such as 15m, 12h or 7d');
  return text;
}
