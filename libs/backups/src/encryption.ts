import type { Secret } from '@airlock/config';
import { Decrypter, Encrypter } from 'age-encryption';
import { type BackupError, refuse } from './problems/backup-error.js';
import type { Bytes } from './tools/streams.js';

const IDENTITY = 'BACKUP_IDENTITY, or REFRESH_BACKUP_IDENTITY for a refresh';

/** Encrypts bytes by age. Without recipients they are unchanged. @throws BackupError no-key for a recipient that is none */
export function createEncryption(recipients: readonly string[]): (source: Bytes) => Bytes {
  if (recipients.length === 0) return (source) => source;
  const encrypter = new Encrypter();
  for (const recipient of recipients) addRecipient(encrypter, recipient);
  return async function* (source) {
    yield* await encrypter.encrypt(toWeb(source));
  };
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch {
    throw refuse('no-key', `BACKUP_RECIPIENTS: "${recipient}" is not a public key of age; expected a whole one`);
  }
}

/** @throws BackupError no-key if the identity is missing or belongs to another recipient */
export async function* decrypt(source: Bytes, identity: Secret | undefined): AsyncGenerator<Uint8Array> {
  yield* await open(source, requireKey(identity));
}

/** Rejected when the header was read, before any row. */
async function open(source: Bytes, identity: Secret): Promise<Bytes> {
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity.reveal());
  } catch {
    // Without the cause: the library quotes an identity that it cannot parse.
    throw refuseIdentity();
  }
  return decrypter.decrypt(toWeb(source)).catch((error: unknown) => {
    // Any other error is that of the source.
    throw String(error).includes('no identity matched') ? refuseIdentity() : error;
  });
}

function refuseIdentity(): BackupError {
  const text = `${IDENTITY}: does not decrypt this backup; expected the identity of one of its recipients`;
  return refuse('no-key', text);
}

export function requireKey(identity: Secret | undefined): Secret {
  if (identity) return identity;
  const text = `${IDENTITY}: is not set, and the backup is encrypted; expected the identity of a recipient`;
  throw refuse('no-key', text);
}

function toWeb(source: Bytes): ReadableStream<Uint8Array> {
  return ReadableStream.from(source);
}
