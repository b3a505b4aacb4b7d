import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** Counts the requests of a server that have no complete response yet. */
export class OpenRequests {
  #count = 0;
  #idle: (() => void)[] = [];

  constructor(server: Server) {
    server.on('request', (_: IncomingMessage, response: ServerResponse) => {
      this.#count += 1;
      response.once('close', () => this.#close());
    });
  }

  get count(): number {
    return this.#count;
  }

  whenNone(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  #close(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
