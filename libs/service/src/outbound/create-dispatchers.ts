import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { createPublicAgent, type PublicAgentOptions } from './public-agent.js';

/** A header for the proxy: it connects to a public address only. */
export const PUBLIC_ONLY = 'airlock-public-only';

export interface Dispatchers {
  readonly any: Dispatcher;
  /** For addresses that a user chose. */
  readonly publicOnly: Dispatcher;
}

/** The connections of peers. Behind a proxy it judges addresses, because only it can resolve names. */
export function createDispatchers(proxy: string | undefined, options: PublicAgentOptions): Dispatchers {
  if (proxy === undefined) return { any: new Agent({ allowH2: false }), publicOnly: createPublicAgent(options) };
  const tunnel = { uri: proxy, proxyTunnel: true, allowH2: false };
  return { any: new ProxyAgent(tunnel), publicOnly: new ProxyAgent({ ...tunnel, headers: { [PUBLIC_ONLY]: 'true' } }) };
}
