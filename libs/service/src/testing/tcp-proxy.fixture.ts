import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Target {
  readonly host: string;
  readonly port: number;
}

/**
 * A proxy between a client and its server. It can drop all packets without closing a connection, like a failed network.
 */
export class TcpProxy {
  /** The number of connections so far. */
  accepted = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: Target;
  #isPaused = false;

  static async start(target: Target): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(target: Target) {
    this.#target = target;
    this.#server = createServer((near) => {
      this.accepted += 1;
      const far = connect(this.#target);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (chunk: Buffer) => this.#sockets.has(from) && to.write(chunk));
        from.on('error', () => undefined).on('close', () => this.#sockets.has(from) && to.destroy());
        if (this.#isPaused) from.pause();
      }
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Drops all data on the existing connections. New connections work. */
  silence(): void {
    this.#silenced.push(...this.#sockets);
    this.#sockets.clear();
  }

  /** Holds back the data of all connections until `resume`, which delivers it. */
  pause(): void {
    this.#isPaused = true;
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** Breaks every connection. New connections go to another server. */
  redirect(target: Target): void {
    this.#target = target;
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    for (const socket of [...this.#sockets, ...this.#silenced]) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  readonly #silenced: Socket[] = [];
}
