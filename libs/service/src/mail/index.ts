/** Sends mail: docs/mail.md. */
export { html } from './html.js';
export { MailError } from './mail-error.js';
export { MailModule } from './mail.module.js';
export { type Mail, Mailer } from './mailer.js';
