/** Rules on the text of the Compose, settings and Traefik files, for facts that the rendered model does not show. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface SourceRule {
  readonly id: string;
  readonly title: string;
  readonly files: RegExp;
  readonly check: (text: string) => readonly { readonly line: number; readonly problem: string }[];
}

const COMPOSE = /^(compose(\.\w+)?|docker\/(hosted|swarm)|docker\/traefik\/(edge|compose))\.yml$/;

export const sourceRules: readonly SourceRule[] = [
  {
    id: 'C4.base',
    title: 'compose.yml publishes no port and names no environment',
    files: /^compose\.yml$/,
    check: (text) =>
      matches(text, /^\s+(ports|ENVIRONMENT):/gm).map(([line, match]) => ({
        line,
        problem: `has ${match[1]}; expected it in an overlay`,
      })),
  },
  {
    id: 'C6.required',
    title: 'a required variable has an error message',
    files: COMPOSE,
    check: (text) => {
      const required = new Set([...text.matchAll(/\$\{(\w+):\?/g)].map((match) => match[1]));
      return matches(text, /(?<!\$)\$(?:\{(\w+)\}|(\w+))/g)
        .map(([line, match]) => [line, match[1] ?? match[2] ?? ''] as const)
        .filter(([, name]) => name !== 'COMPOSE_PROJECT_NAME' && !required.has(name))
        .map(([line, name]) => ({
          line,
          problem: `uses ${name} without an error message; expected \${${name}:?what it is}`,
        }));
    },
  },
  {
    id: 'C6.default',
    title: 'no secret has a default',
    files: COMPOSE,
    check: (text) =>
      matches(text, /\$\{(\w*(?:PASSWORD|SECRET|TOKEN|KEY|URL|DSN)\w*):?-[^}]*\}/g).map(([line, match]) => ({
        line,
        problem: `gives ${match[1]} a default; expected \${${match[1]}:?what it is}`,
      })),
  },
  {
    id: 'C10.tls',
    title: 'TLS 1.2 or newer, and only for our names',
    files: /^docker\/traefik\/tls\.yml$/,
    check: (text) => {
      const { tls } = parse(text) as { tls?: { options?: { default?: { minVersion?: string; sniStrict?: boolean } } } };
      const { minVersion, sniStrict } = tls?.options?.default ?? {};
      return [
        { name: 'minVersion', value: minVersion ?? 'not set', holds: /^VersionTLS1[23]$/.test(minVersion ?? '') },
        { name: 'sniStrict', value: sniStrict ?? 'not set', holds: sniStrict === true },
      ]
        .filter(({ holds }) => !holds)
        .map(({ name, value }) => ({
          line: lineOf(text, text.search(name)),
          problem: `${name} is ${value}; expected ${name === 'sniStrict' ? 'true' : 'VersionTLS12 or VersionTLS13'}`,
        }));
    },
  },
  {
    id: 'C11.dollar',
    title: 'no $ that Compose and docker stack read differently',
    files: /^docker\/(settings\/[\w.]+\.env|env\/[\w.]+\.env\.example|images\.lock)$/,
    check: (text) =>
      matches(text, /^\w+=(?!'[^']*'$).*\$.*$/gm).map(([line, match]) => ({
        line,
        problem: `has an unquoted $ in ${match[0].split('=')[0]}; expected the value in single quotes`,
      })),
  },
];

/** `file:line: RULE: problem` for every breach in the existing files. */
export function checkSources(root: string, files: readonly string[], rules = sourceRules): string[] {
  return rules.flatMap((rule) =>
    files
      .filter((file) => rule.files.test(file))
      .flatMap((file) => {
        const text = readFileSync(join(root, file), 'utf8').replace(/(^|\s)#.*$/gm, '$1');
        return rule.check(text).map(({ line, problem }) => `${file}:${line}: ${rule.id}: ${problem}`);
      }),
  );
}

function matches(text: string, pattern: RegExp): [number, RegExpExecArray][] {
  return [...text.matchAll(pattern)].map((match) => [lineOf(text, match.index + match[0].search(/\S/)), match]);
}

function lineOf(text: string, index: number): number {
  return text.slice(0, Math.max(index, 0)).split('\n').length;
}
