import { canonicalHost, type Config, isListed, traitsOf } from '@airlock/config';
import type { Logger } from 'pino';
import type { Departure } from '../telemetry/prometheus-metrics.js';

/** Something that did not leave. It has no header, because headers have secrets. */
export type Kept =
  | {
      readonly kind: 'http';
      readonly peer: string;
      readonly method: string;
      readonly url: string;
      readonly body: string | undefined;
    }
  | {
      readonly kind: 'mail';
      readonly name: string;
      readonly to: string;
      readonly subject: string;
      readonly text: string;
      readonly html: string;
    };

export interface OutboundOptions extends Pick<Config, 'environment'> {
  readonly outbound: Pick<Config['outbound'], 'hosts'> & Partial<Pick<Config['outbound'], 'proxy'>>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly onDeparture?: (departure: Departure) => void;
}

/** On a developer's machine and in tests these are not outside. Other loopback addresses are. */
const INSIDE = ['127.0.0.1', '::1', 'localhost'];
const MOST_KEPT = 1_000;

/** Decides who may be reached outside, and keeps the rest where it can be read. */
export class Outbound {
  /** The newest in tests; empty elsewhere. */
  readonly kept: Kept[] = [];
  readonly environment: Config['environment'];
  readonly logger: OutboundOptions['logger'];
  /** The way out of a network that has no other. */
  readonly proxy: string | undefined;
  readonly #hosts: readonly string[];
  readonly #onDeparture: (departure: Departure) => void;

  constructor({ environment, outbound, logger, onDeparture = () => {} }: OutboundOptions) {
    this.environment = environment;
    this.logger = logger;
    this.proxy = outbound.proxy;
    this.#hosts = outbound.hosts;
    this.#onDeparture = onDeparture;
  }

  /** @param host of an HTTP address, or the domain of a mail address */
  mayReach(host: string): boolean {
    return this.isInside(host) || this.#hosts.includes('*') || isListed(host, this.#hosts);
  }

  isInside(host: string): boolean {
    return traitsOf(this.environment).runsLocally && INSIDE.includes(canonicalHost(host));
  }

  /** Only logs on a developer's machine or of a test show the content, because it is personal. */
  keep(kept: Kept): void {
    const { runsLocally, mayBeReset } = traitsOf(this.environment);
    if (mayBeReset) this.kept.push(kept);
    if (this.kept.length > MOST_KEPT) this.kept.shift();
    const name = kept.kind === 'http' ? kept.peer : kept.name;
    this.logger.info({ kind: kept.kind, name, is_sent: false, ...(runsLocally && kept) }, 'outbound.kept');
  }

  record(departure: Departure): void {
    this.#onDeparture(departure);
  }
}
