import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { renameAttribute } from '@airlock/jobs';
import { findFreePort } from '@airlock/config/testing';
import { withTestDatabase } from '@airlock/database-dev/testing';
import {
  AppProcess,
  type AppProcessOptions,
  readMetrics,
  readSpans,
  RequestContext,
  runInContext,
  useTestJobs,
  withReceiver,
} from '@airlock/service/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { worker } from '../worker.js';

const FOLDER = fileURLToPath(new URL('../../', import.meta.url));
const SENDER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

class WorkerProcess extends AppProcess {
  constructor(options: Omit<AppProcessOptions, 'folder'>) {
    super({ folder: FOLDER, ...options });
  }
}

describe('the worker', () => {
  const product = useTestJobs(worker, { isolation: 'delete' });
  const processes: WorkerProcess[] = [];
  const start = async (options: Omit<AppProcessOptions, 'folder'>) => {
    const port = await findFreePort();
    const env = { MANAGEMENT_PORT: String(port), ...options.env };
    const process = await WorkerProcess.start({ ...options, env });
    processes.push(process);
    const ask = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, text: await response.text() };
    };
    return { process, ask };
  };
  afterEach(async () => {
    for (const process of processes.splice(0)) await process.stop();
  });
  const send = (data = { ownerId: 'user_1', from: 'a', to: 'b' }) =>
    product.database.asUser('user_1', (tx) => product.sender.send(tx, renameAttribute, data));

  const readChecks = async (ask: Awaited<ReturnType<typeof start>>['ask']) => {
    const { checks } = JSON.parse((await ask('/health')).text) as { checks: Record<string, unknown> };
    return Object.keys(checks);
  };

  it('asks for a storage only where it has one', async () => {
    const without = await start({ config: product.config });
    expect(await readChecks(without.ask)).not.toContain('storage:responseTime');
    const folder = mkdtempSync(join(tmpdir(), 'airlock-worker-'));
    const storage = await start({ config: product.config, env: { STORAGE_URL: `file:${folder}` } });
    expect(await readChecks(storage.ask)).toContain('storage:responseTime');
    rmSync(folder, { recursive: true });
  });

  it('does not begin with the storage of another environment', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'airlock-worker-'));
    writeFileSync(join(folder, 'airlock-environment.json'), '{"environment":"production"}');
    const { process } = await start({ config: product.config, env: { STORAGE_URL: `file:${folder}` } });
    expect((await process.exited).code).toBe(1);
    expect(JSON.stringify(process.lines)).toContain('is stamped production; expected the stamp testing');
    rmSync(folder, { recursive: true });
  });

  it('runs the jobs of the product, and reports them in the trace of their sender', async () => {
    await withReceiver(async (receiver, received) => {
      const context = new RequestContext({
        'x-request-id': 'request-0123456789',
        traceparent: `00-${SENDER.traceId}-${SENDER.spanId}-01`,
      });
      await runInContext(context, () => send());
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver}` };
      const { process, ask } = await start({ config: product.config, env });
      // Those of a schedule run beside it.
      const findEnd = () =>
        process.lines.find(({ event, job }) => event === 'job.done' && job === 'entities.rename-attribute');
      while (!findEnd()) await sleep(50);
      expect(findEnd()).toMatchObject({
        service: 'airlock-worker',
        request_id: 'request-0123456789',
        attempt: 1,
      });
      const { text: metrics } = await ask('/metrics');
      expect(metrics).toContain('job_duration_seconds_count{job="entities.rename-attribute",outcome="done"} 1');
      process.signal('SIGTERM');
      expect(await process.exited).toEqual({ code: 0, signal: null });
      const span = readSpans(received).find(({ name }) => name === 'process entities.rename-attribute');
      expect(span).toMatchObject({ traceId: SENDER.traceId, parentSpanId: context.trace.spanId });
      expect(span?.attributes).toMatchObject({
        'airlock.job.outcome': 'done',
        'airlock.request_id': 'request-0123456789',
      });
      expect(readSpans(received).filter(({ parentSpanId }) => parentSpanId === span?.spanId).length).toBeGreaterThan(0);
      expect(readMetrics(received).get('messaging.process.duration')).toContainEqual(
        expect.objectContaining({ 'messaging.destination.name': 'entities.rename-attribute' }),
      );
    });
  });

  it('serves probes, health and metrics on the management port', async () => {
    const { process, ask } = await start({ config: product.config });
    await process.waitFor('working');
    for (const path of ['/healthz', '/readyz', '/startupz', '/version', '/health', '/metrics'])
      expect([path, (await ask(path)).status]).toEqual([path, 200]);
    expect((await ask('/api/v1/entities')).status).toBe(404);
    expect(JSON.parse((await ask('/version')).text)).toMatchObject({ name: 'airlock-worker' });
    await send();
    while (!(await ask('/metrics')).text.includes('jobs_ready{job="entities.rename-attribute"} 0')) await sleep(100);
    expect((await ask('/metrics')).text).toContain('jobs_ready{job="dead-letters"} 0');
  });

  it('does not start on the database of another environment, whose jobs stay as they are', () =>
    withTestDatabase(async (database) => {
      await database.query(`
        ALTER TABLE ops.environment DROP CONSTRAINT environment_environment_check;
        UPDATE ops.environment SET environment = 'staging';
        SELECT jobs.create_queue('entities.count', '{"policy": "standard"}');
        INSERT INTO jobs.job (name, data) VALUES ('entities.count', '{"data": {}}')`);
      const { process } = await start({ config: database.config });
      expect((await process.exited).code).toBe(1);
      expect(process.lines.find(({ event }) => event === 'start.refused')?.['reason']).toContain(
        'the database belongs to another environment',
      );
      expect(await database.query('SELECT state FROM jobs.job')).toEqual([{ state: 'created' }]);
    }));

  it('takes no job before the migrations, and begins when they are applied', () =>
    withTestDatabase(async (database) => {
      await database.query(
        `ALTER SCHEMA jobs RENAME TO later; CREATE TEMPORARY TABLE kept AS SELECT * FROM ops.migrations`,
      );
      await database.query(`DELETE FROM ops.migrations WHERE name LIKE '%create-jobs'`);
      const { process, ask } = await start({ config: database.config });
      await process.waitFor('jobs.unavailable');
      expect((await ask('/readyz')).status).toBe(503);
      expect((await ask('/healthz')).status).toBe(200);
      await database.query(`
        ALTER SCHEMA later RENAME TO jobs;
        INSERT INTO ops.migrations SELECT * FROM kept ON CONFLICT DO NOTHING`);
      await process.waitFor('jobs.recovered');
      while ((await ask('/readyz')).status !== 200) await sleep(50);
    }));
});
