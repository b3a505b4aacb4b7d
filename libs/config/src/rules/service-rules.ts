import { environmentsWith, environmentsWithout, STRICT_TRAITS, traitsOf } from '../values/environment.js';
import { isLocalHost } from '../values/hosts.js';
import { deriveNodeEnv } from '../sources/process-environment.js';
import { collectSecrets } from '../variables/known-secrets.js';
import { quote } from '../values/quote.js';
import { DEPLOYED, EVERYWHERE, type Facts, LASTING, type ConfigRule, violationIf } from './config-rule.js';

export const serviceRules: readonly ConfigRule[] = [
  {
    title: '`DEBUG=true`',
    environments: environmentsWithout('mayDebug'),
    find: ({ environment, values }) =>
      violationIf(values.DEBUG, {
        name: 'DEBUG',
        problem: `is true in ${environment}, which shows internal errors to callers`,
        expected: 'false',
        fix: 'remove DEBUG; search the log by request id instead',
      }),
  },
  {
    title: '`LOG_LEVEL` debug or trace',
    environments: environmentsWithout('mayDebug'),
    find: ({ environment, values }) =>
      violationIf(values.LOG_LEVEL === 'debug' || values.LOG_LEVEL === 'trace', {
        name: 'LOG_LEVEL',
        problem: `is ${values.LOG_LEVEL} in ${environment}, where logs must not contain user data`,
        expected: 'info, warn, error or fatal',
        fix: 'set LOG_LEVEL=info, or remove it',
      }),
  },
  {
    title: '`LOG_FORMAT=pretty`',
    environments: DEPLOYED,
    find: ({ environment, values }) =>
      violationIf(values.LOG_FORMAT === 'pretty', {
        name: 'LOG_FORMAT',
        problem: `is pretty in ${environment}, whose image does not contain the formatter`,
        expected: 'json',
        fix: 'remove LOG_FORMAT; format the log in its viewer',
      }),
  },
  {
    title: '`TESTING` set to any value',
    environments: environmentsWithout('mayDebug'),
    find: ({ environment, texts }) =>
      violationIf(texts.TESTING !== undefined, {
        name: 'TESTING',
        problem: `is set in ${environment}`,
        expected: 'it to be unset',
        fix: 'remove TESTING; check for other values copied from a test environment',
      }),
  },
  {
    title: '`TESTING` that disagrees with `ENVIRONMENT`',
    environments: environmentsWith('mayDebug'),
    find: ({ environment, values }) =>
      violationIf(values.TESTING !== undefined && values.TESTING !== traitsOf(environment).mayBeReset, {
        name: 'TESTING',
        problem: `is ${values.TESTING} in ${environment}`,
        expected: `${traitsOf(environment).mayBeReset}, or unset`,
        fix: 'remove TESTING; ENVIRONMENT already determines it',
      }),
  },
  {
    title: '`NODE_ENV` of another environment',
    environments: EVERYWHERE,
    find: findForeignNodeEnv,
  },
  {
    title: '`WITH_UI=true`',
    environments: environmentsWithout('mayShowPages'),
    find: ({ environment, values }) =>
      violationIf(values.WITH_UI, {
        name: 'WITH_UI',
        problem: `is true in ${environment}, which serves pages for developers to everyone`,
        expected: 'false',
        fix: 'remove WITH_UI; use the pages of staging',
      }),
  },
  {
    title: '`JOBS_IN_API=true`',
    environments: environmentsWithout('mayRunJobsInApi'),
    find: ({ environment, values }) =>
      violationIf(values.JOBS_IN_API, {
        name: 'JOBS_IN_API',
        problem: `is true in ${environment}, where a long job would slow down requests`,
        expected: 'false, and a worker',
        fix: 'remove JOBS_IN_API, and start the program worker',
      }),
  },
  {
    title: '`PORT` or `MANAGEMENT_PORT` 0',
    environments: DEPLOYED,
    find: ({ environment, values }) =>
      (['PORT', 'MANAGEMENT_PORT'] as const).flatMap((name) =>
        violationIf(values[name] === 0, {
          name,
          problem: `is 0 in ${environment}, which selects a random port`,
          expected: 'a port from 1 to 65535',
          fix: `remove ${name}, or set the port that the proxy uses`,
        }),
      ),
  },
  {
    title: '`MANAGEMENT_PORT` equal to `PORT`',
    environments: EVERYWHERE,
    find: ({ values }) =>
      violationIf(values.PORT !== 0 && values.PORT !== undefined && values.PORT === values.MANAGEMENT_PORT, {
        name: 'MANAGEMENT_PORT',
        problem: `is ${values.PORT}, the same as PORT, which would publish metrics and detailed health`,
        expected: 'a separate port',
        fix: 'remove MANAGEMENT_PORT, or set another',
      }),
  },
  {
    title: '`CORS_ORIGINS` with `*`',
    environments: LASTING,
    find: ({ environment, values }) =>
      violationIf(values.CORS_ORIGINS?.includes('*'), {
        name: 'CORS_ORIGINS',
        problem: `holds * in ${environment}, which lets every page call the API`,
        expected: 'the https origins of your own pages',
        fix: 'list them, such as CORS_ORIGINS=https://app.example.com',
      }),
  },
  {
    title: '`CORS_ORIGINS` with http',
    environments: environmentsWithout('mayLackTls'),
    find: ({ environment, values }) => {
      const plain = values.CORS_ORIGINS?.filter((origin) => origin.startsWith('http://')) ?? [];
      return plain.map((origin) => ({
        name: 'CORS_ORIGINS',
        problem: `holds ${quote(origin, [])} in ${environment}, whose pages an attacker in the network can change`,
        expected: 'only https origins',
        fix: `serve that page over https, or remove it from CORS_ORIGINS`,
      }));
    },
  },
  {
    title: '`AUTH_ISSUER` or `AUTH_JWKS_URL` that is not https, or local',
    environments: environmentsWithout('mayLackTls'),
    find: findWeakIssuer,
  },
];

/** Libraries read NODE_ENV before the config is loaded, so a wrong value cannot be corrected later. */
function findForeignNodeEnv({ environment, env, texts }: Facts) {
  const { NODE_ENV: nodeEnv } = env;
  const derived = deriveNodeEnv(environment);
  const isStrict = [nodeEnv, derived].includes(STRICT_TRAITS.nodeEnv);
  return violationIf(nodeEnv !== undefined && nodeEnv !== derived && isStrict, {
    name: 'NODE_ENV',
    problem: `is ${quote(nodeEnv ?? '', collectSecrets({ ...env, ...texts }))} in ${environment}`,
    expected: `${derived}, or unset`,
    fix: 'unset NODE_ENV; it is derived from ENVIRONMENT',
  });
}

function findWeakIssuer({ environment, values }: Facts) {
  return (['AUTH_ISSUER', 'AUTH_JWKS_URL'] as const).flatMap((name) => {
    const url = new URL(values[name] ?? 'https://unset.invalid');
    const isLocal = isLocalHost(url.hostname);
    return violationIf(isLocal || url.protocol !== 'https:', {
      name,
      problem: `${isLocal ? 'names this machine' : 'is not https'} in ${environment}, so others could issue tokens`,
      expected: 'the https address of your identity provider',
      fix: `set ${name} to that address; the local issuer is for development and testing`,
    });
  });
}
