import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { askEdge, describeEdge, floodEdge, shakeHands } from './edge.js';
import { type EdgeSocket, openEdgeSocket } from './edge-socket.js';
import { HERE, openLab, runAirlock, type EdgeStack, type Lab } from './lab.js';
import { startLoad, type Load } from './load.js';
import { report } from './suite-report.js';
import { docker, isQuick, waitFor } from './run.js';

const LEAST_REQUESTS = isQuick ? 2_000 : 10_000;
/** Twelve clients stay below the edge's limit of 100 requests a second. */
const PAUSE_MS = isQuick ? 150 : 300;
/** An allow list without the inspection of nodes: Traefik then ignores the tasks. */
const BLIND = join(HERE, 'compose.edge-blind.suite.yml');
const digestOf = (image: string): string => image.split('@')[1] ?? '';

// The stand-in image on a swarm, behind Traefik and its socket proxy as docker/swarm.yml has them. One story, in order.
describeEdge('the real edge, on a swarm', () => {
  let lab: Lab;
  let staging: EdgeStack;
  let production: EdgeStack;
  let repository: Awaited<ReturnType<Lab['createRepository']>>;
  let image: string;
  let socket: EdgeSocket;
  const loads: Load[] = [];

  beforeAll(async () => {
    lab = await openLab();
    repository = await lab.createRepository(['v1.0.0']);
    staging = await lab.createEdgeStack();
    production = await lab.createEdgeStack({ SUITE_ENVIRONMENT: 'production', SUITE_STAMP: 'production' });
  });
  afterEach(async () => {
    await Promise.all(loads.splice(0).map((load) => load.finish()));
  });
  afterAll(() => lab.close());

  const deploy = (wanted: string, more: Record<string, string> = {}) =>
    staging.runCommand(['deploy', 'staging', wanted, '--url', staging.url], more);
  const digestBehind = async (stack: EdgeStack) => {
    const { status, body } = await askEdge(stack, '/version');
    return status === 200 ? (JSON.parse(body) as { digest: string }).digest : status;
  };
  const edgeLog = async (stack: EdgeStack) => {
    const services = ['traefik', 'socket-proxy'].map((name) => `${stack.name}_${name}`);
    const logs = await Promise.all(services.map((name) => docker.attempt(['service', 'logs', '--raw', name])));
    return logs.map(({ stdout, stderr }) => stdout + stderr).join('\n');
  };

  it('passes every check of the smoke suite at the public address after the first deploy', async () => {
    image = await lab.build({ commit: repository.commits['v1.0.0'] ?? '' });
    const { status, stderr } = await deploy(image);
    if (status !== 0) process.stderr.write(`${stderr}\n${(await edgeLog(staging)).slice(-4_000)}\n`);
    expect(status).toBe(0);
    expect(stderr).toMatch(/\b(\d+) of \1 checks passed/);
    expect(await digestBehind(staging)).toBe(digestOf(image));
  });

  it('makes no call that the socket proxy refuses', async () => {
    expect(await edgeLog(staging)).not.toMatch(/refused (GET|HEAD|POST)|blocked|forbidden/i);
  });

  it('accepts TLS 1.2 and newer, for its own name only, and redirects plain HTTP to it', async () => {
    expect(await shakeHands(staging, 'localhost', 'TLSv1.3')).toBe('TLSv1.3');
    expect(await shakeHands(staging, 'localhost', 'TLSv1.2')).toBe('TLSv1.2');
    expect(await shakeHands(staging, 'localhost', 'TLSv1.1')).toContain('ALERT_PROTOCOL_VERSION');
    expect(await shakeHands(staging, 'other.example.com', 'TLSv1.3')).toMatch(/ALERT|UNRECOGNIZED/);
    const plain = await fetch(`http://127.0.0.1:${staging.httpPort}/version`, { redirect: 'manual' });
    expect([plain.status, plain.headers.get('location')]).toEqual([301, 'https://127.0.0.1/version']);
    const { headers } = await askEdge(staging, '/healthz');
    expect(headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
  });

  it('passes the messages of a WebSocket in both directions', async () => {
    socket = await openEdgeSocket(staging, '/api/v1/conversations');
    expect([await socket.ask('one'), await socket.ask('two')]).toEqual(['one', 'two']);
  });

  it('loses no request in a rolling update under keep-alive load, and sends none twice', async () => {
    const next = await lab.build();
    expect(digestOf(next)).not.toBe(digestOf(image));
    const before = await staging.ledger();
    const load = startLoad(staging.port, { prefix: 'edge', ca: staging.ca, pauseMs: PAUSE_MS });
    loads.push(load);
    const { status } = await deploy(next);
    const result = await load.finish(LEAST_REQUESTS);
    const ledger = await staging.ledger();
    await report('rolling update behind the real Traefik', result, { twice: ledger.more });
    expect(status).toBe(0);
    expect(result).toMatchObject({ failed: 0, failures: {} });
    expect(ledger).toEqual({ distinct: before.distinct + result.posts, more: 0 });
    expect(result.digests.at(-1)).toBe(digestOf(next));
  });

  it('has ended the WebSocket in this update with the code for "connect again", and opens another', async () => {
    expect(await socket.closed).toBe(1012);
    socket = await openEdgeSocket(staging, '/api/v1/conversations');
    expect(await socket.ask('three')).toBe('three');
  });

  it('limits one client to 100 requests a second, with a burst of 200', async () => {
    const start = performance.now();
    const statuses = await floodEdge(staging, '/version');
    const seconds = (performance.now() - start) / 1_000;
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    const passed = statuses.filter((status) => status === 200).length;
    expect(passed).toBeGreaterThanOrEqual(200);
    expect(passed).toBeLessThanOrEqual(200 + Math.ceil(100 * seconds));
    await waitFor('the end of the limit', async () => (await digestBehind(staging)) !== 429);
  });

  it('keeps the requests of two environments with the same host name on one swarm apart', async () => {
    const promoted = await production.runCommand(
      [
        ...['promote', 'staging', 'production', '--confirm', 'PROMOTE', '--from-stack', staging.name],
        ...['--digest', digestOf(image), '--url', production.url],
      ],
      {},
      { cwd: repository.folder },
    );
    if (promoted.status !== 0)
      process.stderr.write(`${promoted.stderr}\n${(await edgeLog(production)).slice(-4_000)}\n`);
    expect(promoted.status).toBe(0);
    const [ours, theirs] = await Promise.all(
      [staging, production].map((stack) => Promise.all(Array.from({ length: 40 }, () => digestBehind(stack)))),
    );
    expect(new Set(theirs)).toEqual(new Set([digestOf(image)]));
    expect(new Set(ours)).toEqual(new Set([(await staging.status()).recorded]));
    expect(new Set(ours)).not.toEqual(new Set(theirs));
    for (const [stack, other] of [
      [staging, production],
      [production, staging],
    ] as const)
      expect(await edgeLog(stack)).not.toContain(`api-${other.name}`);
  });

  it('fails a deploy whose edge finds no replica, and serves again after the rollback', async () => {
    const served = await digestBehind(staging);
    const words = await staging.words(['deploy', 'staging', await lab.build(), '--url', staging.url]);
    const { status, stderr } = await runAirlock([...words, '--file', BLIND], { env: staging.env });
    expect(stderr).toContain('smoke: ');
    expect(status).toBe(4);
    expect(await digestBehind(staging)).toBe(served);
  });
});
