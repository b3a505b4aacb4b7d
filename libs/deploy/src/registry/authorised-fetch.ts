import { setTimeout as sleep } from 'node:timers/promises';
import { DeployError } from '../engine/deploy-error.js';
import type { Credentials } from './registry-credentials.js';

/** The registry is unreachable or returns a server error: it is not known which images it has. */
export class RegistryUnavailable extends DeployError {}

export type RegistryFetch = (
  path: string,
  init: RequestInit & { headers?: Record<string, string> },
) => Promise<Response>;

const TIMEOUT_MS = 15_000;
const PAUSES_MS = [300, 1_000];

/** Sends requests to one registry. If it requires authentication, uses a token or the credentials. */
export function createFetch(registry: string, credentials: Credentials | undefined): RegistryFetch {
  // As Docker does: plain HTTP to a registry on this machine, TLS to every other one.
  const base = `${/^(?:localhost|127\.0\.0\.1)(?::\d+)?$/.test(registry) ? 'http' : 'https'}://${registry}`;
  let authorization: string | undefined;
  const send: RegistryFetch = (path, init) =>
    fetchWithRetry(`${base}${path}`, {
      ...init,
      headers: { ...init.headers, ...(authorization && { authorization }) },
    });
  return async (path, init) => {
    const first = await send(path, init);
    const challenge = first.headers.get('www-authenticate');
    if (first.status !== 401 || challenge === null) return first;
    authorization = await answerChallenge(challenge, credentials);
    return authorization === undefined ? first : send(path, init);
  };
}

async function answerChallenge(challenge: string, credentials: Credentials | undefined): Promise<string | undefined> {
  const basic =
    credentials && `Basic ${Buffer.from(`${credentials.user}:${credentials.password.reveal()}`).toString('base64')}`;
  if (/^basic/i.test(challenge)) return basic;
  const fields: Partial<Record<string, string>> = {};
  for (const [, name = '', value = ''] of challenge.matchAll(/(\w+)="([^"]*)"/g)) fields[name] = value;
  if (!fields['realm']) return undefined;
  const url = new URL(fields['realm']);
  for (const name of ['service', 'scope']) if (fields[name]) url.searchParams.set(name, fields[name]);
  const response = await fetchWithRetry(url.href, { headers: basic === undefined ? {} : { authorization: basic } });
  if (!response.ok) return undefined;
  const { token, access_token: accessToken } = (await response.json()) as { token?: string; access_token?: string };
  return `Bearer ${token ?? accessToken ?? ''}`;
}

/** All requests here are safe to repeat: reads, and a PUT of the same bytes under the same name. */
async function fetchWithRetry(url: string, init: RequestInit): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    const pauseMs = PAUSES_MS[attempt];
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (response.status < 500 || pauseMs === undefined) return response;
    } catch (cause) {
      if (pauseMs === undefined) {
        const { host } = new URL(url);
        throw new RegistryUnavailable({
          text: `registry: ${host} does not respond; expected a registry`,
          fix: `check its address and the network, or try: docker login ${host}`,
          cause,
        });
      }
    }
    await sleep(pauseMs);
  }
}
