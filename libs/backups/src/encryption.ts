import type { Secret } from '@airlock/config';
import { Decrypter, Encrypter } from 'age-encryption';
import { BackupError, refuse } from './problems/backup-error.js';
import type { Bytes } from './tools/streams.js';

/** Encrypts for the recipients, by age. Without recipients the bytes are unchanged. */
export async function* encrypt(source: Bytes, recipients: readonly string[]): AsyncGenerator<Uint8Array> {
  if (recipients.length === 0) {
    yield* source;
    return;
  }
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  yield* await encrypter.encrypt(toWeb(source));
}

/** @throws BackupError no-key if the identity is missing or belongs to another recipient */
export async function* decrypt(source: Bytes, identity: Secret | undefined): AsyncGenerator<Uint8Array> {
  yield* await open(source, requireKey(identity)).catch((cause: unknown) => {
    if (cause instanceof BackupError) throw cause;
    const text = 'BACKUP_IDENTITY: does not decrypt this backup; expected the identity of one of its recipients';
    throw new BackupError('no-key', text, { cause, isRefusal: true });
  });
}

/** Rejected when the header was read, before any row. */
async function open(source: Bytes, identity: Secret): Promise<Bytes> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity.reveal());
  return decrypter.decrypt(toWeb(source));
}

export function requireKey(identity: Secret | undefined): Secret {
  if (identity) return identity;
  const text = 'BACKUP_IDENTITY: is not set, and the backup is encrypted; expected the identity of a recipient';
  throw refuse('no-key', text);
}

function toWeb(source: Bytes): ReadableStream<Uint8Array> {
  return ReadableStream.from(source);
}
