import { get, type IncomingMessage } from 'node:http';

/** A client of one stream of server-sent events, over its own connection. */
export class EventClient {
  /** The fields of each event and comment, in order. */
  readonly blocks: string[] = [];
  readonly ended: Promise<void>;
  readonly #response: IncomingMessage;
  #rest = '';
  #waiting: (() => void)[] = [];

  static connect(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventClient> {
    return new Promise((resolve, reject) => {
      get(url, { agent: false, headers }, (response) => resolve(new EventClient(response))).once('error', reject);
    });
  }

  private constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.ended = new Promise((resolve) => response.on('error', () => undefined).once('close', resolve));
    void this.ended.then(() => this.#wake());
  }

  get status(): number | undefined {
    return this.#response.statusCode;
  }

  get headers(): IncomingMessage['headers'] {
    return this.#response.headers;
  }

  /** Whether the server ended the response, and did not cut the connection. */
  get isComplete(): boolean {
    return this.#response.complete;
  }

  /** The data of all events. */
  get data(): unknown[] {
    return this.blocks.flatMap((block) => {
      const [, json] = /^data: (.*)$/m.exec(block) ?? [];
      return json === undefined ? [] : [JSON.parse(json) as unknown];
    });
  }

  /** Waits until a block satisfies the condition, or the stream has ended. */
  async waitFor(isIt: (block: string) => boolean): Promise<string | undefined> {
    let isEnded = false;
    void this.ended.then(() => (isEnded = true));
    for (;;) {
      const found = this.blocks.find(isIt);
      if (found !== undefined || isEnded) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Stops reading: the bytes of the server fill the buffers. */
  pause(): void {
    this.#response.pause();
  }

  resume(): void {
    this.#response.resume();
  }

  disconnect(): void {
    this.#response.destroy();
  }

  #read(text: string): void {
    const parts = (this.#rest + text).split('\n\n');
    this.#rest = parts.pop() ?? '';
    this.blocks.push(...parts);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
