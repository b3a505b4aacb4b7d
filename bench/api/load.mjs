// Repeats one request over several connections and prints the rate and the latency of the responses. Uses plain
// sockets, because a client library would be slower than the server.
// `node load.mjs '{"port":…,"connections":32,"ms":5000,"request":"…"}'`
import { connect } from 'node:net';

const { port, connections, ms, request } = JSON.parse(process.argv[2]);
const bytes = Buffer.from(request);
const latencies = [];
const statuses = {};
const deadline = performance.now() + ms;

await Promise.all(Array.from({ length: connections }, drive));
latencies.sort((a, b) => a - b);
const at = (share) =>
  Number(latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]?.toFixed(2));
console.log(
  JSON.stringify({ perSecond: Math.round(latencies.length / (ms / 1000)), p50: at(0.5), p99: at(0.99), statuses }),
);

function drive() {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let startedAt = 0;
    let buffered = '';
    const send = () => {
      startedAt = performance.now();
      socket.write(bytes);
    };
    socket.on('connect', send).on('error', reject);
    socket.on('data', (chunk) => {
      buffered += chunk.toString('latin1');
      const head = buffered.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(buffered)?.[1] ?? 0);
      if (buffered.length < head + 4 + length) return;
      const status = buffered.slice(9, 12);
      statuses[status] = (statuses[status] ?? 0) + 1;
      buffered = '';
      const now = performance.now();
      latencies.push(now - startedAt);
      if (now < deadline) return send();
      socket.destroy();
      resolve();
    });
  });
}
