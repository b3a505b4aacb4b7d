import { UntrustedServerError } from './untrusted-server-error.js';

export interface IterationLimits {
  readonly min: number;
  readonly max: number;
}

/** The fields of a message that pg's parser returns and this check needs. */
interface AuthenticationMessage {
  readonly data?: string;
}

const EXPECTED = 'SCRAM-SHA-256, which proves both sides and never sends the password';
const HBA_CURE =
  'set the method in pg_hba.conf to scram-sha-256; if it is set, find out which program listens on this port';

/**
 * Allows one order of messages: SCRAM, its proof by the server, then the session. pg itself answers any request, even
 * one for the password in clear text, and accepts a server that skips the proof.
 */
export class AuthenticationGate {
  readonly #limits: IterationLimits;
  #step: 'start' | 'scram' | 'challenged' | 'proved' | 'accepted' | 'open' = 'start';

  constructor(limits: IterationLimits) {
    this.#limits = limits;
  }

  get isOpen(): boolean {
    return this.#step === 'open';
  }

  /** @throws UntrustedServerError for a message that must not be answered */
  pass(event: string, message: AuthenticationMessage | undefined): void {
    switch (event) {
      case 'authenticationSASL':
        return this.#advance('start', 'scram');
      case 'authenticationSASLContinue':
        this.#assertIterations(message?.data ?? '');
        return this.#advance('scram', 'challenged');
      case 'authenticationSASLFinal':
        return this.#advance('challenged', 'proved');
      case 'authenticationOk':
        return this.#advance('proved', 'accepted');
      case 'readyForQuery':
        if (this.#step !== 'open') this.#advance('accepted', 'open');
        return;
      case 'authenticationCleartextPassword':
        throw refuse('asks for the password in clear text', HBA_CURE);
      case 'authenticationMD5Password':
        throw refuse(
          'asks for the password as an MD5 hash',
          "on the server: password_encryption = 'scram-sha-256', then set the role's password again (airlock db provision)",
        );
    }
  }

  #advance(from: string, to: 'scram' | 'challenged' | 'proved' | 'accepted' | 'open'): void {
    if (this.#step !== from) throw refuse('opens a session without proving that it knows the password', HBA_CURE);
    this.#step = to;
  }

  #assertIterations(challenge: string): void {
    const { min, max } = this.#limits;
    const text = /(?:^|,)i=([^,]*)/.exec(challenge)?.[1] ?? '';
    const count = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
    if (count >= min && count <= max) return;
    throw new UntrustedServerError({
      problem: `asks for SCRAM with ${count || 'an unreadable number of'} iterations`,
      expected: `${min} to ${max}`,
      fix: "on the server: scram_iterations = 4096, then set the role's password again (airlock db provision)",
    });
  }
}

function refuse(problem: string, fix: string): UntrustedServerError {
  return new UntrustedServerError({ problem, expected: EXPECTED, fix });
}
