import { type Config, type Environment, traitsOf } from '@airlock/config';
import type { JSONWebKeySet } from 'jose';
import { StartRefusal } from '../failures/start-refusal.js';
import type { HttpPeer } from '../outbound/http-peer.js';
import type { HttpPeers } from '../outbound/http-peers.js';
import type { TokenRules } from './token-verifier.js';

/** Large enough for hundreds of keys. */
const MAX_KEY_SET_BYTES = 1024 * 1024;

/** The issuer of the configuration. Environments that trust the local issuer use it if none is configured. */
export async function loadTokenRules(
  config: Pick<Config, 'auth' | 'environment'>,
  peers: HttpPeers,
): Promise<TokenRules> {
  const { issuer, jwksUrl, authorizedParties, rolesClaim } = config.auth;
  if (issuer !== undefined && jwksUrl !== undefined) {
    const peer = peers.toOwn({ name: 'issuer', url: jwksUrl, maxBytes: MAX_KEY_SET_BYTES });
    return { issuer, parties: authorizedParties, rolesClaim, loadKeys: () => fetchKeys(peer) };
  }
  if (!traitsOf(config.environment).trustsLocalIssuer) throw missingIssuer();
  return loadLocalRules(config.environment);
}

async function fetchKeys(peer: HttpPeer): Promise<JSONWebKeySet> {
  const response = await peer.fetch('', { headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`AUTH_JWKS_URL: returned status ${response.status}; expected 200 and a key set`);
  return response.json() as JSONWebKeySet;
}

/** The local issuer is not part of an image: this import fails there. */
async function loadLocalRules(environment: Environment): Promise<TokenRules> {
  try {
    const { readLocalRules } = await import('./local-issuer/local-rules.js');
    return readLocalRules(environment);
  } catch (cause) {
    throw missingIssuer(cause);
  }
}

function missingIssuer(cause?: unknown): StartRefusal {
  return new StartRefusal(
    'AUTH_ISSUER, AUTH_JWKS_URL: are not set, and an image has no local issuer; expected the issuer of your tokens\n' +
      '  set AUTH_ISSUER, AUTH_JWKS_URL and AUTH_AUTHORIZED_PARTIES',
    { cause },
  );
}
