import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly body: string;
}

export interface ReceiverOptions {
  /** Sends the response after the request was read. Default: 200. */
  readonly respond?: (response: ServerResponse) => void;
  /** Uses TLS with this key and certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

const OK = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
};

/** A real HTTP server that records the requests it receives. */
export async function withReceiver<T>(
  use: (port: number, received: readonly Received[]) => Promise<T>,
  { respond = OK, tls }: ReceiverOptions = {},
): Promise<T> {
  const received: Received[] = [];
  const listen: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        received.push({ path: request.url ?? '', body: Buffer.concat(chunks).toString() });
        respond(response);
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
