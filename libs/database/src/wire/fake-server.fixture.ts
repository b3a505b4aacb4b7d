// A server that holds the port and sends any messages that a test needs, in PostgreSQL's protocol.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface FakeServer {
  readonly port: number;
  /** All bytes that clients have sent. */
  readonly received: () => Buffer;
  stop(): Promise<void>;
}

/** `answer` is called for each chunk that a client sends: 0 is the startup message. */
export async function startFakeServer(
  answer: (socket: Socket, nth: number, chunk: Buffer) => unknown,
): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const chunks: Buffer[] = [];
  const server = createServer((socket) => {
    let nth = 0;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      void answer(socket, nth++, chunk);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as { port: number }).port,
    received: () => Buffer.concat(chunks),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

export function message(code: string, body: Buffer = Buffer.alloc(0), announced = body.length + 4): Buffer {
  const header = Buffer.alloc(5);
  header.write(code, 0, 'latin1');
  header.writeUInt32BE(announced, 1);
  return Buffer.concat([header, body]);
}

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export const authentication = (code: number, rest: Buffer | string = '') =>
  message('R', Buffer.concat([int32(code), Buffer.from(rest)]));
export const OK = authentication(0);
export const CLEARTEXT = authentication(3);
export const MD5 = authentication(5, Buffer.from('salt'));
export const SASL = authentication(10, 'SCRAM-SHA-256\0\0');
export const READY = message('Z', Buffer.from('I'));
export const NOTICE = message('N', Buffer.from('SNOTICE\0Mhello\0\0'));

/** The challenge of SCRAM, the response to the client's first message. */
export function challenge(first: Buffer, iterations: number | string): Buffer {
  const nonce = /r=([^,\0]+)/.exec(first.toString('latin1'))?.[1] ?? '';
  return authentication(11, `r=${nonce}server,s=${Buffer.from('salt').toString('base64')},i=${iterations}`);
}
