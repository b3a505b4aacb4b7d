import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openLab, type Lab, type LabStack } from './lab.js';
import { CLIENTS, startLoad, type Load, type LoadReport } from './load.js';
import { report } from './suite-report.js';
import { docker, isQuick, waitFor } from './run.js';

let lab: Lab;
let stack: LabStack;

beforeAll(async () => {
  lab = await openLab();
  stack = await lab.createStack();
  const first = await stack.runCommand(['deploy', 'staging', await lab.build(), '--url', stack.url]);
  expect(first).toMatchObject({ status: 0 });
});
afterAll(() => lab.close());

// A test that fails half-way must not leave its clients running.
const loads: Load[] = [];
afterEach(async () => {
  await Promise.all(loads.splice(0).map((load) => load.finish()));
});

function begin(...args: Parameters<typeof startLoad>): Load {
  const load = startLoad(...args);
  loads.push(load);
  return load;
}

/** The log of the proxy names the replica of each lost request. */
async function expectNothingLost(load: LoadReport): Promise<void> {
  if (load.failed > 0) process.stderr.write((await stack.proxyLog()).split('\n').slice(-40).join('\n'));
  expect(load.failures).toEqual({});
}

const LEAST_REQUESTS = isQuick ? 5_000 : 50_000;

describe('a rolling update under keep-alive load', () => {
  it('loses no request and sends none twice (T1)', async () => {
    const image = await lab.build();
    const before = await stack.ledger();
    const load = begin(stack.port, { prefix: 't1' });
    const deployed = await stack.runCommand(['deploy', 'staging', image, '--url', stack.url]);
    const result = await load.finish(LEAST_REQUESTS);
    const ledger = await stack.ledger();
    await report('T1 rolling update 2→2', result, { twice: ledger.more });
    expect(deployed).toMatchObject({ status: 0 });
    await expectNothingLost(result);
    expect(result.requests).toBeGreaterThanOrEqual(LEAST_REQUESTS);
    expect(ledger).toEqual({ distinct: before.distinct + result.posts, more: 0 });
    expect(result.digests.at(-1)).toBe(image.split('@')[1]);
  });

  it('loses no request when replicas are added and removed (T19)', async () => {
    const load = begin(stack.port, { prefix: 't19' });
    for (const replicas of [5, 2]) {
      await docker.run(['service', 'scale', '--detach', `${stack.name}_api=${replicas}`]);
      await waitFor(`${replicas} replicas`, () => countsReplicas(replicas), 90_000);
    }
    const result = await load.finish();
    const ledger = await stack.ledger();
    await report('T19 scale 2→5→2', result, { twice: ledger.more });
    await expectNothingLost(result);
    expect(ledger.more).toBe(0);
  });

  it('loses at most the requests in progress at a killed replica (T7)', async () => {
    const load = begin(stack.port, { prefix: 't7' });
    await waitFor('load', () => Promise.resolve(load.count() > 1_000));
    const [victim = ''] = await listContainers();
    await docker.run(['kill', '--signal', 'KILL', victim]);
    const killed = performance.now();
    await waitFor('a new replica', async () => (await listContainers()).length === 1, 30_000).catch(() => undefined);
    await waitFor('both replicas', async () => (await healthyContainers()).length === 2, 60_000);
    const replacedS = (performance.now() - killed) / 1_000;
    const result = await load.finish(load.count() + 2_000);
    const ledger = await stack.ledger();
    await report('T7 kill -9 of a replica', result, { twice: ledger.more, replacedS });
    expect(result.failed).toBeLessThanOrEqual(CLIENTS);
    expect(ledger.more).toBe(0);
  });

  it('loses requests without drain and health checks, so the load would detect losses (T2)', async () => {
    // Swarm itself waits 2 s before it signals a replica: with a proxy that checks every second, that alone is
    // enough. So this image has no drain, and the proxy removes replicas late.
    const careless = await lab.createStack({ SUITE_FORGET_AFTER: '15s' });
    const fault = 'no-drain';
    const deploy = (image: string) => careless.runCommand(['deploy', 'staging', image, '--url', careless.url]);
    expect(await deploy(await lab.build({ fault }))).toMatchObject({ status: 0 });
    const next = await lab.build({ fault });
    // Three times as many clients, so that a stopped replica certainly has requests in progress.
    const crowd = ['t2a', 't2b', 't2c'].map((prefix) => begin(careless.port, { prefix }));
    await deploy(next);
    const results = await Promise.all(crowd.map((load) => load.finish()));
    for (const result of results) await report('T2 negative control: no drain', result);
    expect(results.reduce((sum, { failed }) => sum + failed, 0)).toBeGreaterThan(0);
  });
});

async function countsReplicas(replicas: number): Promise<boolean> {
  const running = await healthyContainers();
  const all = await listContainers();
  return running.length === replicas && all.length === replicas;
}

async function listContainers(): Promise<string[]> {
  return listBy(['--filter', `label=com.docker.swarm.service.name=${stack.name}_api`]);
}

async function healthyContainers(): Promise<string[]> {
  return listBy(['--filter', `label=com.docker.swarm.service.name=${stack.name}_api`, '--filter', 'health=healthy']);
}

async function listBy(filters: readonly string[]): Promise<string[]> {
  return (await docker.run(['ps', '--quiet', ...filters])).split('\n').filter(Boolean);
}
