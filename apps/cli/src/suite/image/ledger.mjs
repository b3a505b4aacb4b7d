// A stand-in for the database: records the applied migrations and how often each POST arrived.
import { createServer } from 'node:http';

const counts = new Map();
const applied = [];
const stamp = process.env.STAMP ?? 'staging';

const read = async (request) => {
  let body = '';
  for await (const part of request) body += part;
  return body === '' ? undefined : JSON.parse(body);
};

createServer({ keepAliveTimeout: 95_000 }, async (request, response) => {
  const body = await read(request);
  const answer = (value) => response.end(JSON.stringify(value));
  if (request.url === '/migrations' && body) applied.push(body);
  if (request.url === '/migrations') return answer({ environment: stamp, applied });
  if (request.url === '/posts' && body) counts.set(body.id, (counts.get(body.id) ?? 0) + 1);
  const more = [...counts.values()].filter((count) => count > 1).length;
  answer({ distinct: counts.size, more });
}).listen(7000);
