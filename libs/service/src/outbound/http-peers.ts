import { type Config, FAKE, traitsOf } from '@airlock/config';
import type { Dispatcher } from 'undici';
import { StartRefusal } from '../failures/start-refusal.js';
import { createDispatchers } from './create-dispatchers.js';
import type { LookUp } from './public-agent.js';
import { type Fake, HttpPeer, type PeerLimits } from './http-peer.js';
import type { Outbound } from './outbound.js';

export interface PeerChoices extends Partial<PeerLimits> {
  /** One fixed word for metrics, logs and errors, such as `payments`. */
  readonly name: string;
}

export interface PeerOptions extends PeerChoices {
  /** Its address in the configuration, or `fake:`. */
  readonly address: (config: Config) => string | undefined;
  /** Responds in place of the service where the address is `fake:`. */
  readonly fake?: Fake;
}

export interface HttpPeersOptions extends Pick<PeerLimits, 'timeoutMs' | 'maxRetries'> {
  readonly config: Config;
  readonly outbound: Outbound;
  readonly lookup?: LookUp;
}

const MAX_BYTES = 1024 * 1024;
const PEER_NAME = /^[a-z][a-z0-9-]{0,30}$/;

/** The outside services of a process. Every HTTP request that leaves is sent by one of its peers. */
export class HttpPeers {
  readonly #options: HttpPeersOptions;
  readonly #agent: Dispatcher;
  readonly #publicAgent: Dispatcher;

  constructor(options: HttpPeersOptions) {
    const { outbound, lookup } = options;
    this.#options = options;
    const isTrusted = (host: string) => outbound.isInside(host);
    const agents = createDispatchers(outbound.proxy, { isTrusted, ...(lookup && { lookup }) });
    this.#agent = agents.any;
    this.#publicAgent = agents.publicOnly;
  }

  /** A service whose address is in the configuration. Calls give a path. */
  to({ address, fake, ...choices }: PeerOptions): HttpPeer {
    const { outbound, config } = this.#options;
    const url = address(config);
    const isFake = url === FAKE;
    const isUsable = !isFake || (fake && traitsOf(outbound.environment).mayUseFakes);
    if (url === undefined || !isUsable)
      throw new StartRefusal(
        `${choices.name}: its address is ${url === undefined ? 'not set' : FAKE}; expected the address of the service\n` +
          `  set its variable; ${FAKE} needs a fake, and an environment that may use it: docs/outside-services.md`,
      );
    const base = new URL(isFake ? `http://${choices.name}.fake` : url);
    return this.#open(choices, {
      resolve: (path) => resolvePath(base, path, choices.name),
      mayReach: (host) => outbound.mayReach(host),
      endsWithRequest: true,
      describeHost: ({ hostname }) => hostname,
      dispatcher: this.#agent,
      ...(isFake && fake && { fake }),
    });
  }

  /** A part of the system itself, such as the keys of the issuer: reached in every environment, by calls that do not end with a request. */
  toOwn({ url, ...choices }: PeerChoices & { readonly url: string }): HttpPeer {
    const base = new URL(url);
    return this.#open(choices, {
      resolve: (path) => resolvePath(base, path, choices.name),
      mayReach: () => true,
      endsWithRequest: false,
      describeHost: ({ hostname }) => hostname,
      dispatcher: this.#agent,
    });
  }

  /** Servers that users chose, such as the receivers of webhooks. Calls give a whole address, which must be public. */
  toAnyone(choices: PeerChoices): HttpPeer {
    const { outbound } = this.#options;
    return this.#open(choices, {
      resolve: (address) => assertWholeAddress(address, choices.name, outbound),
      mayReach: (host) => outbound.mayReach(host),
      endsWithRequest: true,
      describeHost: () => choices.name,
      dispatcher: this.#publicAgent,
    });
  }

  /**
   * Servers that the configuration trusts to name others, such as a provider of accounts. Calls give a whole address,
   * and do not end with a request: what such a server has answered must not be lost.
   */
  toTrusted(choices: PeerChoices): HttpPeer {
    const { outbound } = this.#options;
    return this.#open(choices, {
      resolve: (address) => assertWholeAddress(address, choices.name, outbound),
      mayReach: (host) => outbound.mayReach(host),
      endsWithRequest: false,
      describeHost: ({ hostname }) => hostname,
      dispatcher: this.#agent,
    });
  }

  /** Ends the connections that are kept open. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.#agent.destroy(), this.#publicAgent.destroy()]);
  }

  #open(
    { name, ...limits }: PeerChoices,
    parts: Pick<
      ConstructorParameters<typeof HttpPeer>[0],
      'resolve' | 'mayReach' | 'endsWithRequest' | 'describeHost' | 'dispatcher' | 'fake'
    >,
  ): HttpPeer {
    if (!PEER_NAME.test(name)) throw new Error(`peer "${name}": expected a word such as payments`);
    const { outbound, timeoutMs, maxRetries } = this.#options;
    return new HttpPeer({ name, outbound, timeoutMs, maxRetries, maxBytes: MAX_BYTES, ...limits, ...parts });
  }
}

/** A path that contains the input of a user must not lead to another host or out of the path of the service. */
function resolvePath(base: URL, path: string, name: string): URL {
  const prefix = base.pathname.replace(/\/$/, '');
  const isPath = path.startsWith('/') || path.startsWith('?') || path === '';
  const text = `${base.origin}${path === '' ? base.pathname : `${prefix}${path}`}`;
  const url = isPath && URL.canParse(text) ? new URL(text) : undefined;
  const isInside = url?.origin === base.origin && `${url.pathname}/`.startsWith(`${prefix}/`);
  if (url && isInside) return url;
  throw new Error(`${name}: was given a path that leaves the service; expected one that begins with /`);
}

function assertWholeAddress(address: string, name: string, outbound: Outbound): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isEncrypted = url?.protocol === 'https:';
  const mayBePlain = url?.protocol === 'http:' && traitsOf(outbound.environment).mayLackTls;
  if (url && !url.username && !url.password && (isEncrypted || mayBePlain)) return url;
  throw new Error(`${name}: was given an address that is not https, or has a user; expected https://host/path`);
}
