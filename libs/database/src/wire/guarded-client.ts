import type { Duplex } from 'node:stream';
import { Client, type ClientConfig, Connection } from 'pg';
import { AuthenticationGate, type IterationLimits } from './authentication-gate.js';
import { HANDSHAKE_LIMITS, MessageMeter, SESSION_LIMITS } from './message-meter.js';
import { UntrustedServerError } from './untrusted-server-error.js';

declare module 'pg' {
  interface Connection {
    /** Not in the types of pg. */
    attachListeners(stream: Duplex): void;
  }
}

/** RFC 7677 requires 4096, and PostgreSQL uses it. A fake server that requests fewer can guess the password faster. */
export const MIN_SCRAM_ITERATIONS = 4096;
const MAX_SCRAM_ITERATIONS = 100_000;

export interface GuardedOptions extends ClientConfig {
  readonly scramMinIterations?: number;
}

/**
 * The client of every session of the product. It accepts only SCRAM, and stores no more data than our own servers send.
 */
export class GuardedClient extends Client {
  constructor(options: GuardedOptions) {
    const limits = { min: options.scramMinIterations ?? MIN_SCRAM_ITERATIONS, max: MAX_SCRAM_ITERATIONS };
    super({
      ...options,
      // A spread of the pool's options omits it, because the pool hides it.
      password: options.password,
      // Binds the proof to the certificate, so that another server cannot relay it. A server without TLS does not offer
      // this.
      enableChannelBinding: Boolean(options.ssl),
      scramMaxIterations: limits.max,
      connection: new GuardedConnection(options, limits),
    } as ClientConfig);
  }
}

/** pg emits every server message as an event. Each is checked here before pg handles it. */
class GuardedConnection extends Connection {
  readonly #gate: AuthenticationGate;
  #hasRefused = false;

  constructor({ sslnegotiation, client_encoding: encoding, ...options }: GuardedOptions, limits: IterationLimits) {
    super({ ...options, sslNegotiation: sslnegotiation, encoding } as ClientConfig);
    this.#gate = new AuthenticationGate(limits);
  }

  /** The only message that contains a password, in clear text or as an MD5 hash. SCRAM uses other messages. */
  password(): void {
    this.emit('error', new Error('the server was sent no password'));
  }

  /** pg reads messages from the stream to which this method adds listeners, before and after the change to TLS. */
  override attachListeners(stream: Duplex): void {
    const meter = new MessageMeter();
    const on = (event: string, listen: (chunk: Buffer) => void) =>
      stream.on(event, (chunk: Buffer) => {
        if (event === 'data') this.#receive(meter, chunk, listen);
        else listen(chunk);
      });
    super.attachListeners({ on } as unknown as Duplex);
  }

  override emit(event: string, ...values: unknown[]): boolean {
    if (event === 'end' || event === 'connect' || event === 'newListener') return super.emit(event, ...values);
    if (this.#hasRefused) return false;
    try {
      this.#gate.pass(event, values[0] as { data?: string } | undefined);
    } catch (error) {
      return this.#refuse(error);
    }
    // After an error of the handshake pg's socket stays open, and pg would process the next messages.
    if (event === 'error' && !this.#gate.isOpen) return this.#refuse(values[0]);
    return super.emit(event, ...values);
  }

  #receive(meter: MessageMeter, chunk: Buffer, listen: (chunk: Buffer) => void): void {
    if (this.#hasRefused) return;
    try {
      meter.count(chunk, this.#gate.isOpen ? SESSION_LIMITS : HANDSHAKE_LIMITS);
      listen(chunk);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(cause: unknown): boolean {
    if (this.#hasRefused) return false;
    this.#hasRefused = true;
    super.emit('error', describeRefusal(cause));
    this.stream.destroy();
    return false;
  }
}

/** Errors of pg for an invalid proof, and those of its parser for an unknown message. */
function describeRefusal(cause: unknown): unknown {
  if (!(cause instanceof Error) || cause instanceof UntrustedServerError || 'code' in cause) return cause;
  if (!/^SASL|^Unknown auth/.test(cause.message)) return cause;
  return new UntrustedServerError(
    {
      problem: `does not prove that it knows the password (${cause.message})`,
      expected: 'SCRAM-SHA-256',
      fix: 'set the method in pg_hba.conf to scram-sha-256; if it is set, find out which program listens on this port',
    },
    cause,
  );
}
