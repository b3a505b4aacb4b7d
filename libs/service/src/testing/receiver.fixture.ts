import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly body: string;
}

export interface ReceiverOptions {
  /** What it answers with, once it has read everything; 200 unless told. */
  readonly answer?: (response: ServerResponse) => void;
  /** Speaks TLS with these. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

const OK = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
};

/** A real HTTP server that keeps what is sent to it. */
export async function withReceiver<T>(
  use: (port: number, received: readonly Received[]) => Promise<T>,
  { answer = OK, tls }: ReceiverOptions = {},
): Promise<T> {
  const received: Received[] = [];
  const listen: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        received.push({ path: request.url ?? '', body: Buffer.concat(chunks).toString() });
        answer(response);
      });
  };
  const server: Server = tls ? createTlsServer(tls, listen) : createServer(listen);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use((server.address() as AddressInfo).port, received);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
