import type { Config } from '@airlock/config';
import { HttpClient, Problem } from '@airlock/service';
import { Provider } from './provider.js';

/** The providers of the configuration, by name. */
export class Providers {
  readonly #providers: ReadonlyMap<string, Provider>;

  constructor({ connections, environment, httpClient }: Pick<Config, 'connections' | 'environment' | 'httpClient'>) {
    const http = new HttpClient(httpClient);
    const base = connections.callbackUrl?.replace(/\/$/, '');
    this.#providers = new Map(
      connections.providers.map((config) => {
        const redirectUri = `${base}/callback/${config.name}`;
        return [config.name, new Provider(config, { environment, http, redirectUri })];
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
