import { once } from 'node:events';
import { Socket } from 'node:net';
import type { Config } from '@airlock/config';
import type { SendMailOptions } from 'nodemailer';
import { admit } from '../outbound/socket-guard.js';
import { connectThrough } from '../outbound/use-proxy.js';

type SmtpServer = NonNullable<Config['mail']['server']>;

class TimeLimitError extends Error {
  readonly code = 'ETIMEDOUT';
}

/**
 * Sends one mail on its own connection. Resolves when the server has accepted it. @throws the error of nodemailer,
 * with `code`
 */
export async function sendBySmtp(
  server: SmtpServer,
  content: SendMailOptions,
  { timeLimitMs, proxy }: { timeLimitMs: number; proxy?: string | undefined },
): Promise<void> {
  const { host, port, user, password, tls } = server;
  // Only products that send mail load it.
  const { createTransport } = await import('nodemailer');
  let socket: Socket | undefined;
  const ended = new AbortController();
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(user !== '' && { auth: { user, pass: password.reveal() } }),
    connectionTimeout: timeLimitMs,
    greetingTimeout: timeLimitMs,
    socketTimeout: timeLimitMs,
    // A mail contains only what the template made: no file and no address is read.
    disableFileAccess: true,
    disableUrlAccess: true,
    getSocket: (_, done) => {
      void connectTo(server, { proxy, signal: ended.signal }).then((connection) => {
        socket = connection;
        done(null, { connection });
      }, done);
    },
  });
  // The limits above are for each silence; a server that sends a byte now and then would hold the job.
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TimeLimitError()), timeLimitMs);
  try {
    const headers = { 'auto-submitted': 'auto-generated' };
    await Promise.race([transport.sendMail({ ...content, headers }), promise]);
  } finally {
    clearTimeout(timer);
    ended.abort();
    socket?.destroy();
    transport.close();
  }
}

/** Only this code may connect to the mail server: another library would not ask who may get mail. */
async function connectTo(
  { host, port }: SmtpServer,
  { proxy, signal }: { proxy: string | undefined; signal: AbortSignal },
): Promise<Socket> {
  if (proxy !== undefined) return connectThrough(proxy, { host, port }, signal);
  const socket = admit(new Socket({ signal })).connect({ host, port });
  await once(socket, 'connect');
  return socket;
}
