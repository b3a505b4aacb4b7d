import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Environment } from '@airlock/config';
import type { JSONWebKeySet } from 'jose';

/** Written by `airlock token`, which keeps the private key in the same folder. No image contains this folder. */
const KEYS = fileURLToPath(new URL('../../../../../.airlock/local-issuer/jwks.json', import.meta.url));
export const LOCAL_ISSUER = 'http://local-issuer.airlock.test';
export const LOCAL_PARTY = 'airlock-local';
export const LOCAL_ROLES_CLAIM = 'roles';

/** The issuer of this workspace, for development and testing: a token of one is refused by the other. */
export function readLocalRules(environment: Environment) {
  return {
    issuer: `${LOCAL_ISSUER}/${environment}`,
    parties: [LOCAL_PARTY],
    rolesClaim: LOCAL_ROLES_CLAIM,
    loadKeys: readKeys,
    // A file may be read for each token, so that the first token after a refused one is accepted.
    cooldownMs: 0,
  };
}

/** Before `airlock token` made the first token there is no key, and every token is rejected. */
async function readKeys(): Promise<JSONWebKeySet> {
  try {
    return JSON.parse(await readFile(KEYS, 'utf8')) as JSONWebKeySet;
  } catch {
    return { keys: [] };
  }
}
