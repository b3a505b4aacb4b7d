import { randomBytes } from 'node:crypto';
import { request } from 'node:https';
import type { Duplex } from 'node:stream';

export interface EdgeSocket {
  /** Sends a short text, and resolves with the next message. */
  readonly ask: (text: string) => Promise<string>;
  /** The code with which the server ended the connection; 1006 without one. */
  readonly closed: Promise<number>;
}

const [TEXT, CLOSE, FINAL, MASKED] = [0x1, 0x8, 0x80, 0x80];
const NO_CODE = 1006;

/** A WebSocket through an edge on this machine. Its frames are shorter than 126 bytes. */
export async function openEdgeSocket(edge: { port: number; ca: string }, path: string): Promise<EdgeSocket> {
  const socket = await shakeHands(edge, path);
  const waiting: ((text: string) => void)[] = [];
  let unread = Buffer.alloc(0);
  const closed = new Promise<number>((resolve) => {
    socket.on('data', (bytes: Buffer) => {
      unread = Buffer.concat([unread, bytes]);
      for (let frame = takeFrame(); frame; frame = takeFrame()) {
        if (frame.opcode === TEXT) waiting.shift()?.(frame.content.toString());
        if (frame.opcode !== CLOSE) continue;
        resolve(frame.content.length < 2 ? NO_CODE : frame.content.readUInt16BE());
        socket.end();
      }
    });
    socket.once('close', () => resolve(NO_CODE)).on('error', () => undefined);
  });
  const takeFrame = () => {
    const length = 2 + ((unread[1] ?? 0) & 0x7f);
    if (unread.length < length) return undefined;
    const frame = { opcode: unread.readUInt8() & 0xf, content: unread.subarray(2, length) };
    unread = unread.subarray(length);
    return frame;
  };
  const ask = (text: string) =>
    new Promise<string>((resolve) => {
      waiting.push(resolve);
      const bytes = Buffer.from(text);
      // A mask of zeros changes nothing.
      socket.write(Buffer.concat([Buffer.from([FINAL | TEXT, MASKED | bytes.length, 0, 0, 0, 0]), bytes]));
    });
  return { ask, closed };
}

function shakeHands({ port, ca }: { port: number; ca: string }, path: string): Promise<Duplex> {
  const key = randomBytes(16).toString('base64');
  const headers = {
    ...{ host: 'localhost', connection: 'Upgrade', upgrade: 'websocket' },
    ...{ 'sec-websocket-version': '13', 'sec-websocket-key': key },
  };
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, ca, servername: 'localhost', path, headers, agent: false });
    sent.once('upgrade', (_, socket) => resolve(socket));
    sent.once('response', ({ statusCode }) => reject(new Error(`the handshake was refused with ${statusCode}`)));
    sent.once('error', reject).end();
  });
}
