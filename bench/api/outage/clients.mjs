// Clients that read, list and create at a limited rate, keep their connections and wait longer than the API's time
// limit.
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** More clients use the database than the pool has sessions. */
const KINDS = { read: 8, list: 12, create: 8 };
const PAUSE_MS = 40;
const TIMEOUT_MS = 40_000;

export class Clients {
  /** Every response: `{ at, kind, outcome, ms }`. */
  responses = [];
  /** The ids of all responses with status 201. */
  acknowledged = new Set();
  run = `outage ${randomUUID()}`;
  open = 0;
  #isRunning = true;
  #agent = new Agent({ keepAlive: true });
  #created = 0;

  static async start(url, token) {
    const clients = new Clients();
    clients.url = url;
    clients.headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const { text } = await clients.#send('POST', '/api/v1/entities', clients.#nextBody());
    const { id } = JSON.parse(text);
    clients.acknowledged.add(id);
    clients.id = id;
    clients.loops = Object.entries(KINDS).flatMap(([kind, count]) =>
      Array.from({ length: count }, () => clients.#loop(kind)),
    );
    return clients;
  }

  get slowestMs() {
    return Math.max(...this.responses.map(({ ms }) => ms));
  }

  async stop() {
    this.#isRunning = false;
    await Promise.all(this.loops);
    this.#agent.destroy();
  }

  async #loop(kind) {
    for (; this.#isRunning; await sleep(PAUSE_MS)) {
      const startedAt = performance.now();
      this.open += 1;
      const outcome = await this.#ask(kind).catch((error) => `broken: ${error.code ?? error.message}`);
      this.open -= 1;
      const at = performance.now();
      this.responses.push({ at, kind, outcome, ms: at - startedAt });
    }
  }

  /** @returns ok, or the status with the problem code */
  async #ask(kind) {
    const response = await this.#sendKind(kind);
    if (response.status >= 300) return `${response.status} ${readCode(response.text)}`;
    if (kind === 'create') this.acknowledged.add(JSON.parse(response.text).id);
    return 'ok';
  }

  #sendKind(kind) {
    if (kind === 'read') return this.#send('GET', `/api/v1/entities/${this.id}`);
    if (kind === 'list') return this.#send('GET', '/api/v1/entities?limit=20');
    return this.#send('POST', '/api/v1/entities', this.#nextBody());
  }

  #nextBody() {
    this.#created += 1;
    return JSON.stringify({ name: `${this.run} ${this.#created}` });
  }

  #send(method, path, body) {
    return new Promise((resolve, reject) => {
      const options = { method, agent: this.#agent, headers: this.headers, timeout: TIMEOUT_MS };
      const sent = request(`${this.url}${path}`, options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode, text })).on('error', reject);
      });
      sent.on('timeout', () => sent.destroy(new Error('no response'))).on('error', reject);
      sent.end(body);
    });
  }
}

function readCode(text) {
  try {
    return JSON.parse(text).code ?? 'without a code';
  } catch {
    return 'without a problem';
  }
}
