import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Config } from '@airlock/config';
import { SignatureRefusal } from '../failures/signature-refusal.js';
import { StartRefusal } from '../failures/start-refusal.js';
import type { Signed, SignatureScheme } from './signature-scheme.js';

/** The length of the shortest key that Standard Webhooks allows. */
const MIN_KEY_BYTES = 24;
const TOLERANCE_SECONDS = 5 * 60;
const TIMESTAMP = /^[0-9]{1,12}$/;
const SIGNATURE_BYTES = 32;

/** Verifies the requests of one scheme. */
export class SignatureCheck {
  readonly #scheme: SignatureScheme;
  readonly #keys: readonly Buffer[];

  /** @throws StartRefusal if the scheme has no key, or an empty or short one */
  constructor(scheme: SignatureScheme, config: Config, route: string) {
    this.#scheme = scheme;
    this.#keys = openKeys(scheme, config, route);
  }

  /** @throws SignatureRefusal */
  readHeaders(rawHeaders: readonly string[]): Signed {
    const signed = this.#scheme.read((name) => readOne(rawHeaders, name));
    const signatures = signed?.signatures.filter(({ length }) => length === SIGNATURE_BYTES) ?? [];
    if (!signed || signatures.length === 0) throw new SignatureRefusal('signature-malformed');
    if (signed.timestamp !== undefined) assertRecent(signed.timestamp);
    return { ...signed, signatures };
  }

  /** Compares every signature with every key, so that the time says nothing about either. @throws SignatureRefusal */
  assertMatch({ prefix, signatures }: Signed, body: Buffer): void {
    const expected = this.#keys.map((key) => createHmac('sha256', key).update(prefix).update(body).digest());
    const matches = expected.flatMap((mac) => signatures.map((signature) => timingSafeEqual(mac, signature)));
    if (!matches.includes(true)) throw new SignatureRefusal('signature-mismatch');
  }
}

function openKeys({ name, keys, readKey = toBytes }: SignatureScheme, config: Config, route: string): Buffer[] {
  const secrets = keys(config).filter((secret) => secret !== undefined);
  if (secrets.length === 0) throw new StartRefusal(`${route}: ${name} has no key; expected at least one`);
  return secrets.map((secret, index) => {
    const key = readKey(secret.reveal());
    if (key.length >= MIN_KEY_BYTES) return key;
    const problem = `key ${index + 1} of ${name} has ${key.length} usable bytes`;
    throw new StartRefusal(`${route}: ${problem}; expected at least ${MIN_KEY_BYTES}, in the form of the scheme`);
  });
}

function toBytes(text: string): Buffer {
  return Buffer.from(text);
}

/** Node joins several headers with the same name, while a proxy may have checked one of them. */
function readOne(rawHeaders: readonly string[], name: string): string {
  const values = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
  const [value] = values;
  if (value === undefined) throw new SignatureRefusal('signature-missing');
  if (values.length > 1) throw new SignatureRefusal('signature-malformed');
  return value;
}

function assertRecent(timestamp: string): void {
  if (!TIMESTAMP.test(timestamp)) throw new SignatureRefusal('signature-malformed');
  const seconds = Math.round(Date.now() / 1_000) - Number(timestamp);
  if (Math.abs(seconds) > TOLERANCE_SECONDS)
    throw new SignatureRefusal('timestamp-outside-tolerance', undefined, seconds);
}
