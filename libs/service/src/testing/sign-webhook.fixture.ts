import { createHmac } from 'node:crypto';
import { createId } from '../context/identifiers.js';

export interface Delivery {
  /** `whsec_` and base64. */
  readonly key: string;
  /** The exact body. */
  readonly body: string | Buffer;
  readonly id?: string;
  readonly timestamp?: string;
}

/** The headers that a sender of Standard Webhooks would send with this body. */
export function signWebhook({ key, body, id = `msg_${createId()}`, timestamp = nowSeconds() }: Delivery) {
  const hmac = createHmac('sha256', Buffer.from(key.replace('whsec_', ''), 'base64'));
  const signature = hmac.update(`${id}.${timestamp}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

function nowSeconds(): string {
  return String(Math.floor(Date.now() / 1_000));
}
