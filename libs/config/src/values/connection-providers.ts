import { z } from 'zod';
import { Secret } from './secret-value.js';

const MAX_PROVIDERS = 20;

/** A provider at which users connect their accounts: an issuer of OpenID Connect that knows this product as a client. */
export interface ConnectionProvider {
  /** Its name in addresses and rows. A new name makes all connections of the old one unusable. */
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly scopes: readonly string[];
}

const printable = z.string().regex(/^[\x21-\x7e]{1,2000}$/);
const providerSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  issuer: z.string().refine(isIssuer),
  clientId: printable,
  clientSecret: printable.transform((text) => new Secret(text)),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/))
    .max(50)
    .refine((scopes) => scopes.includes('openid')),
});
const listSchema = z
  .array(providerSchema)
  .min(1)
  .max(MAX_PROVIDERS)
  .refine((providers) => new Set(providers.map(({ name }) => name)).size === providers.length);

/** @returns the providers, or the place of the first error; never a value, because the text contains secrets */
export function parseConnectionProviders(text: string): { providers: ConnectionProvider[] } | { place: string } {
  const result = listSchema.safeParse(parseJson(text));
  if (result.success) return { providers: result.data };
  const path = result.error.issues[0]?.path ?? [];
  return { place: path.map(String).join('.') || 'the list' };
}

/** An issuer has no query and no fragment (OpenID Connect Discovery, 3). */
function isIssuer(text: string): boolean {
  if (!/^[\x21-\x7e]{1,2000}$/.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
