import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { call, fault, ledger, migrations } from './faults.mjs';

const DRAIN_MS = 5_000;
const answerMs = Number(process.env.ANSWER_MS ?? 0);
const id = process.env.HOSTNAME;
let state = 'starting';
let started = false;

if (fault === 'exits') {
  console.error('fault: exits');
  process.exit(1);
}
if (fault === 'dies-after-healthy') setTimeout(() => process.exit(1), 6_000);
// Long enough to pass the canary; Swarm's own monitoring must detect it.
if (fault === 'dies-late') setTimeout(() => process.exit(1), 16_000);
for (const name of ['SECRET_KEY_FILE']) readFileSync(process.env[name]);

async function start() {
  if (fault === 'never-healthy') return;
  const { applied } = await call('/migrations');
  const names = applied.map(({ name }) => name);
  if (migrations.some(({ name, phase }) => phase === 'expand' && !names.includes(name))) throw new Error('behind');
  state = 'ready';
  if (fault !== 'not-ready') started = true;
}
const starting = setInterval(
  () =>
    start().then(
      () => state === 'ready' && clearInterval(starting),
      () => undefined,
    ),
  200,
);

const json = (response, status, body, type = 'application/json') => {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-request-id': crypto.randomUUID(),
    'x-content-type-options': 'nosniff',
  });
  response.end(JSON.stringify(body));
};
const problem = (response, status) => json(response, status, { status, title: 'problem' }, 'application/problem+json');

const routes = {
  '/healthz': (response) => json(response, 200, { status: 'ok' }),
  '/readyz': (response) => {
    const isReady = state === 'ready' && fault !== 'not-ready' && fault !== 'lies-about-start';
    if (state === 'ready' && !isReady) return json(response, 500, { status: 'error' });
    json(response, isReady ? 200 : 503, { status: isReady ? 'ok' : state });
  },
  '/startupz': (response) => json(response, started ? 200 : 503, { status: started ? 'ok' : 'starting' }),
  '/version': (response) =>
    json(response, 200, {
      name: 'stand-in',
      commit: process.env.GIT_COMMIT,
      digest: fault === 'wrong-digest' ? 'sha256:0' : process.env.IMAGE_DIGEST,
    }),
  '/who': (response) => setTimeout(() => json(response, 200, { id, digest: process.env.IMAGE_DIGEST }), answerMs),
};
/** The smoke suite requests a resource of the product, whatever its name. */
const resource = (response) => problem(response, fault === 'open-door' ? 200 : 401);
const isResource = (url) => /^\/api\/v1\/(?!docs$|no-such-thing$)\w+$/.test(url);

// One connection pool to the ledger, so that a POST costs as much as a query.
const agent = new Agent({ keepAlive: true });
const forward = (incoming, response) => {
  const outgoing = request(`${ledger}/posts`, { method: 'POST', agent }, (answer) => {
    const status = answer.statusCode === 200 ? 201 : 503;
    answer.resume().on('end', () => setTimeout(() => json(response, status, { id }), answerMs));
  });
  outgoing.on('error', () => json(response, 503, { id }));
  incoming.pipe(outgoing);
};

const server = createServer({ keepAliveTimeout: 95_000 }, (incoming, response) => {
  if (state === 'draining') response.setHeader('connection', 'close');
  if (incoming.method === 'POST') return forward(incoming, response);
  const route = routes[incoming.url] ?? (isResource(incoming.url) ? resource : undefined);
  (route ?? ((unknown) => problem(unknown, 404)))(response);
});

/** WebSockets that repeat each short text, until the process ends them as the API does: docs/websockets.md. */
const sockets = new Set();
const frame = (opcode, content) => Buffer.concat([Buffer.from([0x80 | opcode, content.length]), content]);
const acceptKey = (key) => createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
server.on('upgrade', ({ headers }, socket) => {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'upgrade: websocket', 'connection: Upgrade'];
  lines.push(`sec-websocket-accept: ${acceptKey(headers['sec-websocket-key'])}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  sockets.add(socket);
  socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  socket.on('data', (bytes) => {
    if ((bytes[0] & 0xf) !== 1) return;
    const [mask, content] = [bytes.subarray(2, 6), bytes.subarray(6)];
    socket.write(frame(1, Buffer.from(content.map((byte, at) => byte ^ mask[at % 4]))));
  });
});
server.listen(Number(process.env.PORT ?? 8_000));

process.once('SIGTERM', () => {
  state = 'draining';
  if (fault === 'no-drain') return process.exit(0);
  setTimeout(() => {
    for (const socket of sockets) socket.end(frame(8, Buffer.from([1012 >> 8, 1012 & 0xff])));
    server.close(() => process.exit(0));
    setTimeout(() => process.exit(0), 5_000);
  }, DRAIN_MS);
});
