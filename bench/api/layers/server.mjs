// A read by id with the layers up to the one that is named, out of the modules of the built API. `node server.mjs LAYER`
import 'reflect-metadata';
import { loadConfig } from '@airlock/config';
import { createDataSource } from '@airlock/database';
import { Lifecycle } from '@airlock/health';
import { Controller, Get, Module, Param, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { installAuthentication } from '../../../apps/api/dist/auth/authentication.js';
import { loadTokenRules } from '../../../apps/api/dist/auth/token-rules.js';
import { TokenVerifier } from '../../../apps/api/dist/auth/token-verifier.js';
import { Database } from '../../../apps/api/dist/data/database.js';
import { HttpClient } from '../../../apps/api/dist/http-client/http-client.js';
import { createNoteAnswer } from '../../../apps/api/dist/http/access-log.js';
import { createAdapter } from '../../../apps/api/dist/http/create-adapter.js';
import { installGate } from '../../../apps/api/dist/http/gate.js';
import { LoadShedder } from '../../../apps/api/dist/http/load-shedder.js';
import { KnownRoutes } from '../../../apps/api/dist/http/known-routes.js';
import { openLogger } from '../../../apps/api/dist/http/logger.js';
import { createOpenContext } from '../../../apps/api/dist/http/open-context.js';
import { installPipeline } from '../../../apps/api/dist/http/pipeline.js';
import { RateLimits } from '../../../apps/api/dist/http/rate-limits.js';
import { Metrics } from '../../../apps/api/dist/observability/metrics.js';
import { columns, listen } from '../common.mjs';
import { LAYERS } from './names.mjs';

const level = LAYERS.indexOf(process.argv[2]);
const has = (layer) => LAYERS.indexOf(layer) <= level;
const config = loadConfig();
const dataSource = await createDataSource(config, { entities: [] }).initialize();
const database = new Database(dataSource, { ...config.database, migrations: [] });
const lifecycle = new Lifecycle();
const limits = new RateLimits(config, undefined);

const text = `SELECT ${columns} FROM entities WHERE id = $1`;
const plain = { name: 'find', text: text.replace('FROM entities', 'FROM bench_entities') };

class EntitiesController {
  async read(id, request) {
    const userId = request.context?.userId ?? 'user_1';
    const [row] = has('row-level security')
      ? await database.query({ userId, name: 'find', text, values: [id] })
      : (await dataSource.driver.master.query({ ...plain, values: [id] })).rows;
    return row;
  }
}
const { prototype } = EntitiesController;
Param('id')(prototype, 'read', 0);
Req()(prototype, 'read', 1);
Get('entities/:id')(prototype, 'read', Object.getOwnPropertyDescriptor(prototype, 'read'));
Controller('api/v1')(EntitiesController);
class AppModule {}
Module({ controllers: [EntitiesController] })(AppModule);

const noteAnswer = has('log and metrics') ? await createListeners() : () => {};
const openContext = createOpenContext(config);
const adapter = has('ids, context, headers')
  ? createAdapter(config, { openContext, noteAnswer })
  : new FastifyAdapter();
const server = adapter.getInstance();
const routes = new KnownRoutes(server);
if (has('ids, context, headers')) await installPipeline(server, { config, lifecycle, openContext, noteAnswer });
if (has('limits and gate')) installGate(server, { lifecycle, routes, limits, shedder: createShedder() });
if (has('tokens')) installAuthentication(server, { verifier: await createVerifier(), limits });
server.get('/readyz', () => ({ status: 'ok' }));
const app = await NestFactory.create(AppModule, adapter, { logger: false });
await app.init();
lifecycle.serve();
await listen(server);

async function createListeners() {
  const version = { name: 'bench', version: '0', commit: null, builtAt: null, digest: null };
  const logger = await openLogger(config, version);
  return createNoteAnswer({ logger, metrics: new Metrics({ lifecycle, version }), observer: undefined });
}

function createShedder() {
  return new LoadShedder({ waiting: () => database.figures().waiting, poolSize: config.database.poolSize });
}

async function createVerifier() {
  return new TokenVerifier(await loadTokenRules(config, new HttpClient(config.httpClient)));
}
