import { parseRedisUrl } from '../values/redis-url.js';
import type { VariableName } from '../variables/schema.js';
import { databasesOf, DEPLOYED, type Facts, LASTING, type ConfigRule, violationIf } from './config-rule.js';

/** Long enough to prevent guessing. */
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
    title: `a secret shorter than ${MIN_KEY_LENGTH} or a password shorter than ${MIN_PASSWORD_LENGTH} characters`,
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

/** The secrets that must be hard to guess. A Sentry DSN is a secret address, but not a key. */
function secretsOf(facts: Facts): SecretPart[] {
  const { values, texts } = facts;
  const password = { what: 'its password ', minLength: MIN_PASSWORD_LENGTH };
  const redis = values.REDIS_URL && texts.REDIS_URL ? parseRedisUrl(texts.REDIS_URL, 'REDIS_URL').password : '';
  return [
    ...(values.SECRET_KEY && texts.SECRET_KEY !== undefined
      ? [{ name: 'SECRET_KEY' as const, what: '', text: texts.SECRET_KEY, minLength: MIN_KEY_LENGTH }]
      : []),
    ...databasesOf(facts).map(({ name, address }) => ({ name, ...password, text: address.password.reveal() })),
    ...(redis === '' ? [] : [{ name: 'REDIS_URL' as const, ...password, text: redis }]),
  ];
}
