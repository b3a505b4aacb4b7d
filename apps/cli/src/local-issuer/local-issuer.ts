import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '@airlock/config';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';

/** The API of this workspace trusts this issuer, with its own environment at the end, in development and testing. */
const ISSUER = 'http://local-issuer.airlock.test';
const PARTY = 'airlock-local';
const ALGORITHM = 'ES256';
const KEY_ID = 'local';

export interface TokenRequest {
  /** The only one that accepts the token. */
  readonly environment: Environment;
  readonly sub: string;
  readonly roles?: readonly string[];
  /** Such as `1h`: a time span of jose. */
  readonly expiresIn: string;
  /** The folder of the keys, created on first use. */
  readonly folder: string;
}

/** Creates a token of the local issuer. The private key stays in the folder, which is never committed or shipped. */
export async function createLocalToken({ environment, sub, roles, expiresIn, folder }: TokenRequest): Promise<string> {
  const key = await importJWK(await loadPrivateKey(folder), ALGORITHM);
  return new SignJWT({ azp: PARTY, ...(roles && { roles }) })
    .setProtectedHeader({ alg: ALGORITHM, kid: KEY_ID, typ: 'JWT' })
    .setIssuer(`${ISSUER}/${environment}`)
    .setSubject(sub)
    .setIssuedAt()
    .setExpirationTime(expiresIn)
    .sign(key);
}

async function loadPrivateKey(folder: string): Promise<JWK> {
  const path = join(folder, 'private.json');
  try {
    return JSON.parse(await readFile(path, 'utf8')) as JWK;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return createKeys(folder);
  }
}

async function createKeys(folder: string): Promise<JWK> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const [secret, shown] = [await exportJWK(privateKey), await exportJWK(publicKey)];
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o700);
  await writeWhole(join(folder, 'private.json'), secret);
  await writeWhole(join(folder, 'jwks.json'), { keys: [{ ...shown, alg: ALGORITHM, kid: KEY_ID, use: 'sig' }] });
  return secret;
}

/** Replaces the file atomically: a reader sees the old file or the new one. */
async function writeWhole(path: string, content: object): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, JSON.stringify(content), { mode: 0o600 });
  await rename(draft, path);
}
