import { createHash } from 'node:crypto';
import { type Config, mailDomainOf, MAIL_ADDRESS, traitsOf } from '@airlock/config';
import { StartRefusal } from '../failures/start-refusal.js';
import type { Outbound } from '../outbound/outbound.js';
import type { Html } from './html.js';
import { MailError, type MailFailure } from './mail-error.js';
import { sendBySmtp } from './smtp.js';

/** The content of a mail, by a function of the product. */
export interface Mail {
  /** A fixed word for logs, such as `order-placed`. */
  readonly name: string;
  readonly subject: string;
  readonly text: string;
  readonly html: Html;
}

export interface Message {
  /** One for each mail. The same key gives the same Message-ID, by which a repetition can be recognised. */
  readonly key: string;
  /** One address, so that no recipient sees another and a repetition concerns one. */
  readonly to: string;
  readonly replyTo?: string;
  readonly mail: Mail;
}

/** `caught`: a mail catcher shows it. `kept`: it was not sent, and `Outbound` has it. */
export type Delivery = 'sent' | 'caught' | 'kept';

export interface MailerOptions {
  readonly outbound: Outbound;
  readonly mail: Config['mail'];
  /** For the whole of a delivery. */
  readonly timeLimitMs?: number;
}

const TIME_LIMIT_MS = 30_000;
const MILLISECONDS_PER_SECOND = 1_000;
/** Refusals of the recipient or of the content. A refused password is not about the mail, and is corrected. */
const ABOUT_MAIL = new Set(['EENVELOPE', 'EMESSAGE']);
const FIRST_PERMANENT = 500;

/** Sends mail. Jobs call it, not requests: a mail server may be slow or unavailable. */
export class Mailer {
  readonly #outbound: Outbound;
  readonly #mail: Config['mail'];
  readonly #timeLimitMs: number;

  /** @throws StartRefusal without a server where mail must arrive */
  constructor({ outbound, mail, timeLimitMs = TIME_LIMIT_MS }: MailerOptions) {
    const { environment } = outbound;
    if (!mail.server && traitsOf(environment).mayReachAnyHost)
      throw new StartRefusal(
        `SMTP_URL: is not set, but this program sends mail in ${environment}; expected the server that sends it\n` +
          '  set SMTP_URL or SMTP_URL_FILE, and MAIL_FROM: docs/mail.md',
      );
    this.#outbound = outbound;
    this.#mail = mail;
    this.#timeLimitMs = timeLimitMs;
  }

  /** @throws MailError if the server did not accept the mail; a repetition with the same key is safe to try */
  async deliver({ key, to, replyTo, mail }: Message): Promise<Delivery> {
    assertAddress('to', to);
    if (replyTo !== undefined) assertAddress('replyTo', replyTo);
    const { server, from } = this.#mail;
    const { name, text } = mail;
    const subject = toOneLine(mail.subject);
    const html = wrap(subject, mail.html);
    if (!server || !(server.isCatcher || this.#outbound.mayReach(mailDomainOf(to)))) {
      this.#outbound.keep({ kind: 'mail', name, to, subject, text, html });
      this.#record('kept', 0);
      return 'kept';
    }
    const messageId = createMessageId({ key, from, environment: this.#outbound.environment });
    const startedAt = performance.now();
    const content = { from, to, subject, text, html, messageId, ...(replyTo !== undefined && { replyTo }) };
    const limits = { timeLimitMs: this.#timeLimitMs, proxy: this.#outbound.proxy };
    const failure = await sendBySmtp(server, content, limits).then(() => undefined, readFailure);
    const seconds = (performance.now() - startedAt) / MILLISECONDS_PER_SECOND;
    this.#record(failure ? 'error' : 'sent', seconds);
    if (failure) throw new MailError(name, failure);
    this.#outbound.logger.info({ name, message_id: messageId, is_caught: server.isCatcher }, 'mail.sent');
    return server.isCatcher ? 'caught' : 'sent';
  }

  #record(outcome: string, seconds: number): void {
    this.#outbound.record({ peer: 'mail', method: 'SMTP', outcome, seconds });
  }
}

function assertAddress(field: string, address: string): void {
  if (MAIL_ADDRESS.test(address)) return;
  throw new Error(`mail: ${field} is not one mail address; expected an address such as ada@example.com`);
}

/** A line end would begin another header. */
function toOneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

function wrap(subject: string, body: Html): string {
  const title = subject.replace(/[&<]/g, (letter) => (letter === '&' ? '&amp;' : '&lt;'));
  return `<!doctype html>\n<html><head><meta charset="utf-8"><title>${title}</title></head><body>${body.toString()}</body></html>`;
}

/** Environments have different ids, so that a mail of one does not hide that of another. */
function createMessageId({ key, from, environment }: { key: string; from: string; environment: string }): string {
  const hash = createHash('sha256').update(`${environment}\n${key}`).digest('hex').slice(0, 32);
  return `<${hash}@${mailDomainOf(from)}>`;
}

function readFailure(error: unknown): MailFailure {
  const { code = 'EUNKNOWN', responseCode } = error as { code?: string; responseCode?: number };
  return { isPermanent: ABOUT_MAIL.has(code) && (responseCode ?? 0) >= FIRST_PERMANENT, code, responseCode };
}
