import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { useTestDatabase } from '@airlock/database/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApiProcess } from './testing/api-process.fixture.js';
import { TestIssuer } from './testing/test-issuer.fixture.js';

jest.setTimeout(120_000);

const PATIENCE = { REQUEST_TIMEOUT: '8s', DATABASE_STATEMENT_TIMEOUT: '7s', DATABASE_LOCK_TIMEOUT: '7s' };
const BUDGET = { SHUTDOWN_DRAIN: '1s', SHUTDOWN_REQUESTS: '10s', SHUTDOWN_TEARDOWN: '2s', SHUTDOWN_GRACE: '20s' };
/** Signals whose default ends a process, or opens its debugger, and that ask for neither. */
const IDLE: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGPIPE', 'SIGIO', 'SIGXCPU'];
const CLIENTS = 4;

describe('under load the API loses no request', () => {
  const database = useTestDatabase({ isolation: 'delete' });
  let issuer: TestIssuer;
  let api: ApiProcess;
  beforeAll(async () => void (issuer = await TestIssuer.start()));
  afterEach(() => api.stop());
  afterAll(() => issuer.stop());

  describe.each([
    ['as one process', '1'],
    ['as two workers', '2'],
  ])('%s,', (_, workers) => {
    it.each<[NodeJS.Signals]>([['SIGHUP'], ['SIGQUIT'], ['SIGTERM']])(
      'to signals that ask for nothing, and to %s, which ends it in order',
      async (signal) => {
        const load = await start(workers);
        for (const idle of IDLE) {
          for (const pid of [api.pid, ...childrenOf(api.pid)]) process.kill(pid, idle);
          await sleep(50);
        }
        await load.more();
        load.stopAtClose();
        api.signal(signal);
        expect(await api.exited).toEqual({ code: 0, signal: null });
        expect(await load.done).toEqual({ failures: [], statuses: [200] });
        expect(api.lines.find(({ event }) => event === 'shutdown.draining')).toMatchObject({ level: 'info' });
      },
    );
  });

  it('to SIGHUP for one of two workers, which is replaced', async () => {
    const load = await start('2');
    const [first] = childrenOf(api.pid);
    if (first === undefined) throw new Error('no worker');
    process.kill(first, 'SIGHUP');
    await api.waitFor('worker.lost');
    await load.more();
    load.stopAtClose();
    api.signal('SIGHUP');
    expect((await api.exited).code).toBe(0);
    expect(await load.done).toEqual({ failures: [], statuses: [200] });
  });

  async function start(workers: string): Promise<Load> {
    const config = { ...database.config, auth: issuer.auth };
    api = await ApiProcess.start({ config, env: { ...BUDGET, ...PATIENCE, WORKERS: workers } });
    const listening = () => api.lines.filter(({ event }) => event === 'listening').length;
    const ended = api.exited.then(() => true);
    while (listening() < Number(workers) && !(await Promise.race([ended, sleep(20, false)])));
    expect(listening()).toBe(Number(workers));
    return new Load(`${api.url}/api/v1/entities`, await issuer.sign());
  }
});

/** Clients that ask one request after the other over a connection of their own. */
class Load {
  readonly done: Promise<{ failures: unknown[]; statuses: (number | undefined)[] }>;
  #answers = 0;
  #stopsAtClose = false;

  constructor(url: string, token: string) {
    const failures: unknown[] = [];
    const statuses = new Set<number | undefined>();
    const run = async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let isOpen = true; isOpen;) {
        const { status, isLast } = await ask(url, { agent, headers: { authorization: `Bearer ${token}` } }).catch(
          (error: unknown) => (failures.push(error), { status: undefined, isLast: true }),
        );
        if (status !== undefined) statuses.add(status);
        this.#answers += 1;
        isOpen = !(isLast && (this.#stopsAtClose || status === undefined));
      }
      agent.destroy();
    };
    this.done = Promise.all(Array.from({ length: CLIENTS }, run)).then(() => ({ failures, statuses: [...statuses] }));
  }

  /** Waits for further answers, or for the end of all clients. */
  async more(): Promise<void> {
    const target = this.#answers + 20;
    const ended = this.done.then(() => true);
    while (this.#answers < target && !(await Promise.race([ended, sleep(10, false)])));
  }

  /** As a proxy does once readiness says that the process drains. */
  stopAtClose(): void {
    this.#stopsAtClose = true;
  }
}

function ask(
  url: string,
  options: { agent: Agent; headers: Record<string, string> },
): Promise<{ status: number | undefined; isLast: boolean }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, options, (response) => {
      response.resume().once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode, isLast: response.headers.connection === 'close' }),
      );
    });
    asked.once('error', reject).end();
  });
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}
