import { MAX_CERTIFICATES_BYTES, parseCertificates } from '../values/certificates.js';
import { loadSecretFile } from '../sources/secret-file.js';
import { DEPLOYED, type Facts, type ConfigRule, violationIf } from './config-rule.js';

/**
 * Variables that Node, OpenSSL and libraries read directly. Only names are shown, because values may contain secrets.
 */
export const runtimeRules: readonly ConfigRule[] = [
  {
    title: '`NODE_TLS_REJECT_UNAUTHORIZED=0`',
    environments: DEPLOYED,
    find: ({ environment, env }) =>
      violationIf(env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0', {
        name: 'NODE_TLS_REJECT_UNAUTHORIZED',
        problem: `is 0 in ${environment}, so any certificate is accepted, even for the identity provider`,
        expected: 'it to be unset',
        fix: 'unset it; set NODE_EXTRA_CA_CERTS or DATABASE_SSL_CA_FILE to your own authority',
      }),
  },
  {
    title: '`NODE_OPTIONS` other than those for memory, warnings and source maps',
    environments: DEPLOYED,
    find: ({ environment, env }) =>
      findUnsafeOptions(env['NODE_OPTIONS'] ?? '').map((option) => ({
        name: 'NODE_OPTIONS',
        problem: `holds ${option} in ${environment}`,
        expected: `options of memory, warnings and source maps, such as --max-old-space-size=512`,
        fix: 'remove it: it could load code, open a debugger, weaken TLS or write secrets to files',
      })),
  },
  {
    title: '`NODE_EXTRA_CA_CERTS` that cannot be read, which Node ignores',
    environments: DEPLOYED,
    find: findUnreadableAuthorities,
  },
  {
    title: 'variables that write keys, passwords or traffic to logs and files',
    environments: DEPLOYED,
    find: ({ environment, env }) =>
      Object.keys(env).flatMap((name) =>
        violationIf(isLeak(name, env[name]), {
          name,
          problem: `is set in ${environment}, and writes secrets to logs or files`,
          expected: 'it to be unset',
          fix: `unset ${name}`,
        }),
      ),
  },
  {
    title: 'variables that change the rules of TLS or load code',
    environments: DEPLOYED,
    find: ({ environment, env }) =>
      Object.keys(env).flatMap((name) =>
        violationIf(isSet(env[name]) && (TLS.test(name) || LOADERS.test(name)), {
          name,
          problem: `is set in ${environment}; Node or a library may read it, bypassing this configuration`,
          expected: 'it to be unset',
          fix: `unset ${name} for this process`,
        }),
      ),
  },
];

/** `sslmode` in the address is decisive. A weaker PGSSLMODE would only affect tools of libpq and mislead operators. */
const TLS =
  /^(OPENSSL_CONF|OPENSSL_CONF_INCLUDE|OPENSSL_MODULES|OPENSSL_ENGINES|PGSSL\w*|PGREQUIRESSL|PGGSSENCMODE|PGREQUIREAUTH|PGCHANNELBINDING|PGSERVICE|PGSERVICEFILE)$/;
/** Variables that load other code. */
const LOADERS = /^(NODE_PATH|NODE_REPL_EXTERNAL_MODULE)$/;
const LEAKS = /^(SSLKEYLOGFILE|NODE_DEBUG_NATIVE|NODE_V8_COVERAGE)$/;

function isLeak(name: string, text: string | undefined): boolean {
  // NODE_DEBUG=airlock shows the causes of a failed command, which contain no secret.
  if (name === 'NODE_DEBUG') return isSet(text) && text !== 'airlock';
  return isSet(text) && LEAKS.test(name);
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text !== '';
}

const SAFE_OPTION =
  /^--((max|min|initial)-(old|semi|heap|young)[a-z-]*|max-heap-size|stack-trace-limit|enable-source-maps|no-enable-source-maps|unhandled-rejections|(no-)?warnings|disable-warning|trace-(warnings|deprecation|uncaught|exit)|throw-deprecation|no-deprecation|dns-result-order|enable-fips|force-fips|secure-heap|secure-heap-min|disable-proto|frozen-intrinsics|disallow-code-generation-from-strings|report-exclude-env|report-exclude-network|use-system-ca|use-bundled-ca|network-family-autoselection[a-z-]*|v8-pool-size|single-threaded|expose-gc)$/;

/** Values are separate words or follow `=`. V8 and Node treat `_` like `-`. @returns the names of the options */
function findUnsafeOptions(text: string): string[] {
  const words = text.match(/(?:"(?:\\.|[^"])*"|[^\s"])+/g) ?? [];
  const options = words.map((word) => word.replaceAll('"', '')).filter((word) => word.startsWith('-'));
  const names = options.map((option) => (option.split('=')[0] ?? '').replaceAll('_', '-'));
  return [...new Set(names.filter((name) => !SAFE_OPTION.test(name)))].map((name) =>
    /^-{1,2}[a-z0-9.-]{1,60}$/i.test(name) ? name : 'an unknown option',
  );
}

function findUnreadableAuthorities({ environment, env, cwd }: Facts) {
  const name = 'NODE_EXTRA_CA_CERTS';
  const path = env[name];
  if (path === undefined || path === '') return [];
  const content = loadSecretFile({ path, cwd, name, maxBytes: MAX_CERTIFICATES_BYTES });
  if ('problem' in content) return [content];
  const result = parseCertificates(content.text);
  return violationIf('problem' in result, {
    name,
    problem: `names a file that ${'problem' in result ? (result.problem ?? 'holds no certificate') : ''} in ${environment}`,
    expected: 'a file of PEM certificates',
    fix: 'correct the path or the file; Node would start without the certificates and only print a warning',
  });
}
