import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';

/** The client of one WebSocket. */
export class SocketClient {
  /** The messages so far, parsed. */
  readonly messages: unknown[] = [];
  /** The code and the reason with which the connection closed. */
  readonly closed: Promise<readonly [code: number, reason: string]>;
  readonly socket: WebSocket;
  #waiting: (() => void)[] = [];

  /** Resolves when the connection is open. @throws RefusedSocket if the server responds with a problem */
  static connect(url: string, options: ClientOptions & { protocols?: string[] } = {}): Promise<SocketClient> {
    const { protocols = [], ...rest } = options;
    const client = new SocketClient(new WebSocket(url.replace(/^http/, 'ws'), protocols, rest));
    return new Promise((resolve, reject) => {
      client.socket.once('open', () => resolve(client));
      client.socket.once('error', reject);
      client.socket.once('unexpected-response', (_, response) => {
        RefusedSocket.read(response).then(reject, reject);
      });
    });
  }

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()));
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve([code, reason.toString()]));
    });
    void this.closed.then(() => {
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Waits for this number of messages in all, or for the end of the connection. */
  async waitFor(count: number): Promise<unknown[]> {
    while (this.messages.length < count && this.socket.readyState !== WebSocket.CLOSED)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.messages;
  }

  /** Breaks the connection, without its closing handshake. */
  disconnect(): void {
    this.socket.terminate();
  }
}

/** The response to a handshake that was refused. */
export class RefusedSocket extends Error {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;

  static async read(response: IncomingMessage): Promise<RefusedSocket> {
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
    return new RefusedSocket(response, JSON.parse(text) as Record<string, unknown>);
  }

  private constructor({ statusCode, headers }: IncomingMessage, body: Record<string, unknown>) {
    super(`the handshake was refused with ${statusCode}`);
    this.status = statusCode;
    this.headers = headers;
    this.body = body;
  }
}
