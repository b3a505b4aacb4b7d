import type { Config } from '@airlock/config';
import { Problem } from '@airlock/service';
import type { HttpPeers } from '@airlock/service/outbound';
import { Provider, type ProviderCall } from './provider.js';

const MAX_ANSWER_BYTES = 256 * 1024;

/** The providers of the configuration, by name. */
export class Providers {
  readonly #providers: ReadonlyMap<string, Provider>;

  constructor({ connections, environment }: Pick<Config, 'connections' | 'environment'>, peers: HttpPeers) {
    const peer = peers.toTrusted({ name: 'account-provider', maxBytes: MAX_ANSWER_BYTES });
    const fetch = async (url: string, call: ProviderCall) => {
      const { text, status, headers } = await peer.fetch(url, call);
      return new Response(text === '' ? null : text, { status, headers });
    };
    const base = connections.callbackUrl?.replace(/\/$/, '');
    this.#providers = new Map(
      connections.providers.map((config) => {
        const redirectUri = `${base}/callback/${config.name}`;
        return [config.name, new Provider(config, { environment, fetch, redirectUri })];
      }),
    );
  }

  get names(): string[] {
    return [...this.#providers.keys()];
  }

  /** @throws Problem not-found */
  get(name: string): Provider {
    const provider = this.#providers.get(name);
    if (!provider) throw new Problem('not-found');
    return provider;
  }

  find(name: string): Provider | undefined {
    return this.#providers.get(name);
  }
}
