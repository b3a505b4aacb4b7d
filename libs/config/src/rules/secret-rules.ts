import { metaOf, type VariableName, variableNames } from '../variables/schema.js';
import { databasesOf, DEPLOYED, type Facts, LASTING, type ConfigRule, violationIf } from './config-rule.js';

/** Long enough to prevent guessing: a key that this workspace generates, and what others may have chosen. */
const MIN_KEY_LENGTH = 32;
const MIN_PASSWORD_LENGTH = 16;
const MIN_DIFFERENT_CHARACTERS = 8;

/**
 * Compared without case, digits and punctuation. Every secret in an example contains the first one; a spec checks it.
 */
const PLACEHOLDERS =
  /changethis|changeme|changeit|replacethis|replaceme|placeholder|yoursecret|yourpassword|password|insecure|example|letmein|qwerty/;

export const secretRules: readonly ConfigRule[] = [
  {
    title: 'a placeholder or example as a secret or password',
    environments: DEPLOYED,
    find: (facts) =>
      secretsOf(facts).flatMap(({ name, what, text }) =>
        violationIf(PLACEHOLDERS.test(text.toLowerCase().replace(/[^a-z]/g, '')), {
          name,
          problem: `${what}is a placeholder or comes from an example`,
          expected: 'your own random text',
          fix: GENERATE,
        }),
      ),
  },
  {
    title: `\`SECRET_KEY\` shorter than ${MIN_KEY_LENGTH}, or another secret or password shorter than ${MIN_PASSWORD_LENGTH} characters`,
    environments: DEPLOYED,
    find: (facts) =>
      secretsOf(facts).flatMap(({ name, what, text, minLength }) =>
        violationIf(text.length < minLength, {
          name,
          problem: `${what}has ${text.length} characters`,
          expected: `at least ${minLength}`,
          fix: GENERATE,
        }),
      ),
  },
  {
    title: `a secret or password of fewer than ${MIN_DIFFERENT_CHARACTERS} different characters`,
    environments: DEPLOYED,
    find: (facts) =>
      secretsOf(facts).flatMap(({ name, what, text }) =>
        violationIf(new Set(text).size < MIN_DIFFERENT_CHARACTERS, {
          name,
          problem: `${what}has ${new Set(text).size} different characters`,
          expected: `at least ${MIN_DIFFERENT_CHARACTERS}`,
          fix: GENERATE,
        }),
      ),
  },
  {
    title: 'one secret in two variables',
    environments: LASTING,
    find: (facts) => {
      const secrets = secretsOf(facts);
      return secrets.flatMap(({ name, what, text }, index) => {
        const first = secrets.findIndex((other) => other.text === text);
        return violationIf(first < index, {
          name,
          problem: `${what}is the same as that of ${secrets[first]?.name}`,
          expected: 'a different secret for each variable',
          fix: GENERATE,
        });
      });
    },
  },
];

const GENERATE = 'generate one with `openssl rand -hex 32`';

interface SecretPart {
  readonly name: VariableName;
  readonly what: string;
  readonly text: string;
  readonly minLength: number;
}

/** The secrets that must be hard to guess: of each variable that the schema calls secret, or the password in its address. */
function secretsOf(facts: Facts): SecretPart[] {
  const password = { what: 'its password ', minLength: MIN_PASSWORD_LENGTH };
  const databases = new Map(databasesOf(facts).map(({ name, address }) => [name as VariableName, address]));
  return variableNames.flatMap((name): SecretPart[] => {
    const text = facts.texts[name];
    if (!metaOf(name).secret || text === undefined || facts.values[name] === undefined) return [];
    // A folder has no secret.
    const value = facts.values[name];
    if (typeof value === 'object' && 'kind' in value && value.kind === 'folder') return [];
    const address = databases.get(name);
    if (address) return [{ name, ...password, text: address.password.reveal() }];
    if (name === 'CONNECTION_KEYS') {
      return text.split(',').map((key) => ({ name, what: 'a key ', text: key, minLength: MIN_KEY_LENGTH }));
    }
    if (name === 'CONNECTION_PROVIDERS') {
      const providers = facts.values.CONNECTION_PROVIDERS ?? [];
      const what = 'a clientSecret ';
      return providers.map(({ clientSecret }) => ({ name, ...password, what, text: clientSecret.reveal() }));
    }
    if (!mayBeAddress(name) || !text.includes('://') || !URL.canParse(text)) {
      return [{ name, what: '', text, minLength: name === 'SECRET_KEY' ? MIN_KEY_LENGTH : MIN_PASSWORD_LENGTH }];
    }
    const written = new URL(text).password;
    return written === '' ? [] : [{ name, ...password, text: decode(written) }];
  });
}

/** A key that happens to contain `://` is judged as a whole. */
function mayBeAddress(name: VariableName): boolean {
  const { example } = metaOf(name);
  return example === undefined || JSON.stringify(example).includes('://');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
