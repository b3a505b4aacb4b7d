import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Config, ENVIRONMENTS, type Environment } from '@airlock/config';
import type { TestDatabase } from '@airlock/database-dev/testing';
import { useScratchCluster } from '@airlock/database/fixtures';
import { migrate } from '@airlock/database/operations';
import { model } from '@airlock/database/sample-with-jobs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { JobsWorld } from '../jobs/jobs-world.fixture.js';
import { AppProcess } from '../testing/app-process.fixture.js';
import { createCertificate, TestMailServer } from '../testing/mail-server.fixture.js';
import { MAIL_HOST, OUTSIDE, RecordingServer } from '../testing/outside.fixture.js';
import { OutboundProxy, type Target } from './outbound-proxy.js';
import { plantedJob } from './planted-job.fixture.js';

const run = promisify(execFile);
const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const WORKER = pathOf('../testing/planted-worker');
const WAYS = ['mailer', 'nodemailer', 'peer', 'own', 'fetch', 'undici', 'socket'];
const EACH_SENT = Object.fromEntries(WAYS.map((name) => [name, 'sent']));
const EACH_ONCE = {
  http: ['/peer', '/own', '/fetch', '/undici'],
  mail: ['mailer', 'nodemailer'],
  raw: ['socket'],
};
/** The ports keep what they do not send; the guard refuses what goes past them. */
const NONE_SENT = {
  ...Object.fromEntries(WAYS.map((name) => [name, 'ConnectionRefusal'])),
  ...{ mailer: 'kept', peer: 'NotSentError' },
};
type Pause = 'before the end of the step' | 'after the step';

/** Real processes of each environment, and real servers on addresses that stand for hosts outside. */
describe('planted sends', () => {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-outside-'));
  const authority = join(folder, 'authority.pem');
  let http: RecordingServer;
  let mail: TestMailServer;
  let raw: Server;
  let texts: string[];
  beforeAll(async () => {
    const certificate = createCertificate();
    writeFileSync(authority, certificate.cert);
    http = await RecordingServer.start(OUTSIDE);
    mail = await TestMailServer.start({ ...certificate }, MAIL_HOST);
    raw = createServer((socket) => void socket.on('data', (data: Buffer) => void texts.push(data.toString())));
    await new Promise<void>((resolve) => raw.listen(0, OUTSIDE, resolve));
  });
  beforeEach(() => {
    http.reset();
    http.statuses = Array.from({ length: 20 }, () => 200);
    mail.received.length = 0;
    texts = [];
  });
  afterAll(async () => {
    await Promise.all([http.stop(), mail.stop(), new Promise((resolve) => raw.close(resolve))]);
    rmSync(folder, { recursive: true });
  });

  const ports = () => ({ http: http.port, mail: mail.port, raw: (raw.address() as { port: number }).port });
  const plant = async (environment: Environment, hosts?: string, proxy?: string) => {
    const args = ['--import', pathOf('../../../../tools/typescript.mjs'), pathOf('planted-sends.fixture.ts')];
    const { stdout } = await run(
      process.execPath,
      [...args, JSON.stringify({ environment, hosts, proxy, ports: ports() })],
      {
        env: { NODE_EXTRA_CA_CERTS: authority },
      },
    );
    const lines = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { event?: string; outcomes?: object });
    return { outcomes: lines.find(({ outcomes }) => outcomes)?.outcomes, events: lines.map(({ event }) => event) };
  };
  const arrived = () => ({
    http: http.seen.map(({ url }) => url),
    mail: mail.received.map(({ raw: text }) => /^Subject: (.*)\r$/m.exec(text)?.[1]),
    raw: texts,
  });

  it('of production arrive, each exactly once', async () => {
    const { outcomes } = await plant('production');
    expect(outcomes).toEqual(EACH_SENT);
    expect(arrived()).toEqual(EACH_ONCE);
  });

  it.each(ENVIRONMENTS.filter((name) => name !== 'production'))(
    'of %s reach no host, and the log has them',
    async (environment) => {
      const { outcomes, events } = await plant(environment);
      expect(arrived()).toEqual({ http: [], mail: [], raw: [] });
      expect(outcomes).toEqual(NONE_SENT);
      const count = (name: string) => events.filter((event) => event === name).length;
      expect([count('outbound.kept'), count('outbound.refused') > 4]).toEqual([2, true]);
    },
  );

  it.each(['preview', 'staging'] as const)('of %s reach those that are listed', async (environment) => {
    const listed = await plant(environment, 'example.com');
    expect(listed.outcomes).toMatchObject({ mailer: 'sent', nodemailer: 'ConnectionRefusal', peer: 'NotSentError' });
    expect(arrived()).toEqual({ http: [], mail: ['mailer'], raw: [] });
    expect((await plant(environment, OUTSIDE)).outcomes).toMatchObject({ mailer: 'kept', peer: 'sent', fetch: 'sent' });
    expect(mail.received).toHaveLength(1);
  });

  it('of staging go to its proxy, those of libraries too', async () => {
    const asked: string[] = [];
    const mayConnect = ({ host, port }: Target) => asked.push(`${host}:${port}`) < 0;
    const proxy = new OutboundProxy({ mayConnect, onRefused: () => undefined, onFailed: () => undefined });
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.server.address() as AddressInfo;
    await plant('staging', OUTSIDE, `http://127.0.0.1:${port}`);
    // It refuses the peers and fetch. A library with its own connections does not ask it: the network refuses those.
    expect(asked).toEqual(Array.from({ length: 3 }, () => `${OUTSIDE}:${http.port}`));
    expect(arrived()).toEqual({ http: ['/undici'], mail: [], raw: ['socket'] });
    await proxy.close(0);
  });

  describe('of a job', () => {
    const cluster = useScratchCluster();
    const workers: AppProcess[] = [];
    afterEach(async () => {
      for (const worker of workers.splice(0)) await worker.stop();
    });

    /** One database for each environment, which its tests share. */
    const databases = new Map<Environment, Promise<{ config: Config; query: TestDatabase['query'] }>>();
    const open = (environment: Environment) => {
      const found = databases.get(environment) ?? create(environment);
      databases.set(environment, found);
      return found;
    };
    const create = async (environment: Environment) => {
      const { config, superuser } = await cluster.create(environment);
      await migrate({ config, ...model });
      return { config, query: async <T extends object>(sql: string) => (await superuser.query<T>(sql)).rows };
    };

    /** Sends the job, the only one, in the database of the environment. */
    const send = async (environment: Environment, pause: 'never' | Pause = 'never'): Promise<Config> => {
      const { config, query } = await open(environment);
      await query('DELETE FROM jobs.job');
      const world = await JobsWorld.open({ config, query }, [plantedJob]);
      await world.database.asUser('user_1', (tx) => world.jobs.send(tx, plantedJob, { ports: ports(), pause }));
      await world.close();
      return config;
    };
    const start = async (environment: Environment, config: Config, hosts?: string) => {
      const { app } = config.database;
      const address = { ...app, password: app.password.reveal() };
      const worker = await AppProcess.start({
        ...{ folder: WORKER, config, env: { NODE_EXTRA_CA_CERTS: authority } },
        args: [JSON.stringify({ environment, hosts, ports: ports(), address })],
      });
      workers.push(worker);
      return worker;
    };
    const meet = async (worker: AppProcess, event: string) => {
      const exit = worker.exited.then(() => Promise.reject(new Error(JSON.stringify(worker.lines.slice(-3)))));
      await Promise.race([worker.waitFor(event), exit]);
    };
    const work = async (environment: Environment, hosts?: string) => {
      const worker = await start(environment, await send(environment), hosts);
      await meet(worker, 'job.done');
      return outcomesOf(worker);
    };
    const outcomesOf = ({ lines }: AppProcess) => lines.find(({ event }) => event === 'planted.tried')?.['outcomes'];

    it('of production arrive, each exactly once', async () => {
      expect(await work('production')).toEqual(EACH_SENT);
      expect(arrived()).toEqual(EACH_ONCE);
    });

    it.each(ENVIRONMENTS.filter((name) => name !== 'production'))(
      'of %s reach no host, and the log has them',
      async (environment) => {
        expect(await work(environment)).toEqual(NONE_SENT);
        expect(arrived()).toEqual({ http: [], mail: [], raw: [] });
        const events = workers[0]?.lines.map(({ event }) => event) ?? [];
        const count = (name: string) => events.filter((event) => event === name).length;
        expect([count('outbound.kept'), count('outbound.refused') > 4]).toEqual([2, true]);
      },
    );

    it.each(['preview', 'staging'] as const)('of %s reach those that are listed', async (environment) => {
      expect(await work(environment, 'example.com')).toMatchObject({ mailer: 'sent', fetch: 'ConnectionRefusal' });
      expect(arrived()).toEqual({ http: [], mail: ['mailer'], raw: [] });
    });

    const kill = async (pause: Pause) => {
      const config = await send('production', pause);
      const { query } = await open('production');
      const first = await start('production', config);
      await meet(first, 'planted.paused');
      first.signal('SIGKILL');
      await first.exited;
      // The silence of the dead process, which is awaited in killed-processes.spec.ts.
      await query(`UPDATE jobs.job SET heartbeat_on = heartbeat_on - interval '1 minute' WHERE state = 'active'`);
      const second = await start('production', config);
      await meet(second, 'job.done');
    };

    it('arrive exactly once if the process is killed after the step that sends', async () => {
      await kill('after the step');
      expect(arrived()).toEqual(EACH_ONCE);
    });

    it('arrive twice if it is killed before the end of that step, the mail with the same id', async () => {
      await kill('before the end of the step');
      expect(arrived().mail).toEqual(['mailer', 'nodemailer', 'mailer', 'nodemailer']);
      const mails = mail.received.filter(({ raw: text }) => /^Subject: mailer\r$/m.test(text));
      const ids = mails.map(({ raw: text }) => /^Message-ID: (<.+>)\r$/m.exec(text)?.[1]);
      expect([ids[0], ids[1] === ids[0]]).toEqual([expect.stringMatching(/^<\w{32}@example\.org>$/), true]);
    });

    it('do not begin on the database of another environment', async () => {
      const worker = await start('production', await send('staging'));
      expect((await worker.exited).code).toBe(1);
      expect(arrived()).toEqual({ http: [], mail: [], raw: [] });
    });
  });
});
