import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { JSONWebKeySet } from 'jose';

/** Written by `airlock token`, which keeps the private key beside it. This folder is left out of every image. */
const KEYS = fileURLToPath(new URL('../../../../../.airlock/local-issuer/jwks.json', import.meta.url));
export const LOCAL_ISSUER = 'http://local-issuer.airlock.test';
export const LOCAL_PARTY = 'airlock-local';

/** The issuer of this workspace, for development and testing. */
export function readLocalRules() {
  return { issuer: LOCAL_ISSUER, parties: [LOCAL_PARTY], loadKeys: readKeys };
}

/** Before the first token there is no key, and no token can be right. */
async function readKeys(): Promise<JSONWebKeySet> {
  try {
    return JSON.parse(await readFile(KEYS, 'utf8')) as JSONWebKeySet;
  } catch {
    return { keys: [] };
  }
}
