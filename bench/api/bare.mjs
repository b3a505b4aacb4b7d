// (a) The smallest server that sends the same bytes: Fastify, pg, one named prepared statement, no pipeline.
import Fastify from 'fastify';
import { createPool, columns, listen } from './common.mjs';

const pool = createPool();
const server = Fastify({ keepAliveTimeout: 95_000 });
const run = async (name, text, values) => (await pool.query({ name, text, values })).rows;
server.get('/healthz', () => ({ status: 'ok' }));
server.get('/readyz', () => ({ status: 'ok', checks: { database: 'up' } }));
server.get(
  '/api/v1/entities/:id',
  async ({ params }) => (await run('find', `SELECT ${columns} FROM bench_entities WHERE id = $1`, [params.id]))[0],
);
server.get('/api/v1/entities', async () => ({
  items: await run(
    'list',
    `SELECT ${columns} FROM bench_entities WHERE owner_id = $1 ORDER BY bench_entities.created_at DESC, id DESC LIMIT 20`,
    ['user_1'],
  ),
  nextCursor: null,
}));
server.post('/api/v1/entities', async ({ body }, reply) => {
  reply.code(201);
  return (
    await run(
      'create',
      `INSERT INTO bench_entities (owner_id, name, attributes) VALUES ('user_1', $1, $2) RETURNING ${columns}`,
      [body.name, body.attributes],
    )
  )[0];
});
await listen(server);
