import type { KnownSecret } from '../values/quote.js';
import { metaOf, variableNames, type VariableName } from './schema.js';

/** The secrets in the variables, and the passwords in addresses, which must not appear in messages. */
export function collectSecrets(texts: Readonly<Record<string, string | undefined>>): KnownSecret<VariableName>[] {
  return variableNames
    .filter((name) => metaOf(name).secret)
    .flatMap((name) => [...withParts(texts[name] ?? '')].filter((text) => text !== '').map((text) => ({ name, text })));
}

function withParts(text: string): Set<string> {
  const ofProviders = [...text.matchAll(/"clientSecret"\s*:\s*"([^"]+)"/g)].map(([, secret = '']) => secret);
  const password = /^[^@]*:([^:@/]*)@/.exec(text)?.[1] ?? '';
  return new Set([text, ...ofProviders, password, decodeLeniently(password)]);
}

function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
