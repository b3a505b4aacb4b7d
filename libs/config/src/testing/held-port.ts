import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Listens on a port, by default on a free one, while `use` runs. */
export async function withHeldPort<T>(use: (port: number) => Promise<T>, port = 0): Promise<T> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    await once(server.close(), 'close');
  }
}
