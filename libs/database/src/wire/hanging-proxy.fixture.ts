// A proxy between a client and a server. It keeps the client's connection open after the server has closed its own, and
// a test can replace the server's messages.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface HangingProxy {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * `takeOver` sees what a client sends. When it returns true, the server is disconnected and the test responds instead.
 */
export async function startHangingProxy(
  upstreamPort: number,
  takeOver: (sent: string, client: Socket) => boolean = () => false,
): Promise<HangingProxy> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect(upstreamPort, '127.0.0.1');
    let isTaken = false;
    for (const end of [client, upstream]) sockets.add(end.on('error', () => undefined));
    client.on('data', (chunk: Buffer) => {
      isTaken ||= takeOver(chunk.toString('latin1'), client);
      if (!isTaken) upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => !isTaken && client.write(chunk));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as { port: number }).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}
