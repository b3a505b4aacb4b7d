import type { SignatureScheme } from './signature-scheme.js';

const KEY_PREFIX = 'whsec_';
/** A dot separates the signed parts, so an id with a dot could move bytes from one part to the next. */
const ID = /^[\x21-\x2d\x2f-\x7e]{1,255}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const SYMMETRIC = 'v1,';

/** The scheme of standardwebhooks.com with symmetric keys. A key is `whsec_` and base64. */
export function standardWebhooks(keys: SignatureScheme['keys']): SignatureScheme {
  return {
    name: 'standard-webhooks',
    headers: ['webhook-signature', 'webhook-id', 'webhook-timestamp'],
    keys,
    readKey: (text) => decodeBase64(text.startsWith(KEY_PREFIX) ? text.slice(KEY_PREFIX.length) : text),
    read(header) {
      const [id, timestamp] = [header('webhook-id'), header('webhook-timestamp')];
      if (!ID.test(id)) return undefined;
      return { prefix: `${id}.${timestamp}.`, signatures: readSignatures(header('webhook-signature')), timestamp };
    },
  };
}

/** A list with spaces, because a sender signs with two keys during a rotation. Other versions are ignored. */
function readSignatures(list: string): Buffer[] {
  const symmetric = list.split(' ').filter((part) => part.startsWith(SYMMETRIC));
  return symmetric.map((part) => decodeBase64(part.slice(SYMMETRIC.length)));
}

/** Empty if the text is not base64. Node would decode the part that is. */
function decodeBase64(text: string): Buffer {
  return Buffer.from(BASE64.test(text) ? text : '', 'base64');
}
