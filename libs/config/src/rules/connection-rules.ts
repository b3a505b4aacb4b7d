import { environmentsWith, environmentsWithout } from '../values/environment.js';
import { isLocalHost } from '../values/hosts.js';
import { type ConfigRule, EVERYWHERE, type Facts, violationIf } from './config-rule.js';

const COMPANIONS = ['CONNECTION_KEYS', 'CALLBACK_URL', 'CONNECTIONS_PAGE'] as const;

/** Whether an address protects tokens and codes on their way. On one machine they do not leave it. */
const isHttps = ({ protocol }: URL): boolean => protocol === 'https:';
const isLocal = ({ hostname }: URL): boolean => isLocalHost(hostname);

export const connectionRules: readonly ConfigRule[] = [
  {
    title: `\`CONNECTION_PROVIDERS\` without ${COMPANIONS.map((name) => `\`${name}\``).join(', ')}`,
    environments: EVERYWHERE,
    find: ({ values, texts }) =>
      COMPANIONS.flatMap((name) =>
        violationIf(values.CONNECTION_PROVIDERS !== undefined && texts[name] === undefined, {
          name,
          problem: 'is not set, but CONNECTION_PROVIDERS is',
          expected: 'your own value',
          fix: `set ${name}, or remove CONNECTION_PROVIDERS; see docs/connections.md`,
        }),
      ),
  },
  {
    title: 'an http address of a provider, the callback or its page that is not on this machine',
    environments: environmentsWith('runsLocally'),
    find: (facts) => findAddresses(facts, (url) => isHttps(url) || isLocal(url), 'https, or http on this machine'),
  },
  {
    title: 'an address of a provider, the callback or its page that is not https, or local',
    environments: environmentsWithout('runsLocally'),
    find: (facts) => findAddresses(facts, (url) => isHttps(url) && !isLocal(url), 'a public https address'),
  },
];

function findAddresses({ environment, values }: Facts, isGood: (url: URL) => boolean, expected: string) {
  if (!values.CONNECTION_PROVIDERS) return [];
  const issuers = values.CONNECTION_PROVIDERS.map(({ name, issuer }) => ({
    name: 'CONNECTION_PROVIDERS',
    what: `the issuer of ${name} `,
    text: issuer,
  }));
  const own = (['CALLBACK_URL', 'CONNECTIONS_PAGE'] as const).map((name) => ({ name, what: '', text: values[name] }));
  return [...issuers, ...own].flatMap(({ name, what, text }) =>
    violationIf(text !== undefined && !isGood(new URL(text)), {
      name,
      problem: `${what}is not safe in ${environment}: others could read tokens or take the place of the server`,
      expected,
      fix: `correct ${name}; see docs/connections.md`,
    }),
  );
}
