// A read by id with all layers up to the named one, from the modules of the built service. `node server.mjs LAYER`
import 'reflect-metadata';
import { loadConfig } from '@airlock/config/loading';
import { checkSchema, createDataSource, openRunner } from '@airlock/database';
import { Lifecycle } from '@airlock/health';
import { Controller, Get, Module, Param, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { installAuthentication } from '../../../libs/service/dist/auth/authentication.js';
import { loadTokenRules } from '../../../libs/service/dist/auth/token-rules.js';
import { TokenVerifier } from '../../../libs/service/dist/auth/token-verifier.js';
import { Database } from '../../../libs/service/dist/data/database.js';
import { createRecordResponse } from '../../../libs/service/dist/http/access-log.js';
import { createAdapter } from '../../../libs/service/dist/http/create-adapter.js';
import { installGate } from '../../../libs/service/dist/http/gate.js';
import { LoadShedder } from '../../../libs/service/dist/http/load-shedder.js';
import { KnownRoutes } from '../../../libs/service/dist/http/known-routes.js';
import { openLogger } from '../../../libs/service/dist/logging/logger.js';
import { createOpenContext } from '../../../libs/service/dist/http/open-context.js';
import { installPipeline } from '../../../libs/service/dist/http/pipeline.js';
import { RateLimits } from '../../../libs/service/dist/http/rate-limits.js';
import { HttpPeers } from '../../../libs/service/dist/outbound/http-peers.js';
import { Outbound } from '../../../libs/service/dist/outbound/outbound.js';
import { Signatures } from '../../../libs/service/dist/signatures/signatures.js';
import { Metrics } from '../../../libs/service/dist/telemetry/prometheus-metrics.js';
import { columns, listen } from '../common.mjs';
import { LAYERS } from '../layer-names.mjs';

const level = LAYERS.indexOf(process.argv[2]);
const has = (layer) => LAYERS.indexOf(layer) <= level;
const config = loadConfig();
const dataSource = await createDataSource(config, { entities: [] }).initialize();
const database = new Database(dataSource, {
  ...config.database,
  service: 'bench',
  transactionTimeoutMs: config.http.requestTimeoutMs,
  openRunner: () => openRunner(dataSource),
  constraints: {},
  checkSchema,
});
const lifecycle = new Lifecycle();
const limits = new RateLimits(config, undefined);
const version = { name: 'bench', version: '0', commit: null, builtAt: null, digest: null };
const logger = await openLogger(config, { version });

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

const recordResponse = has('log and metrics') ? createListeners() : () => {};
const openContext = createOpenContext(config);
const adapter = has('ids, context, headers')
  ? createAdapter(config, { openContext, recordResponse })
  : new FastifyAdapter();
const server = adapter.getInstance();
const routes = new KnownRoutes(server);
if (has('ids, context, headers')) await installPipeline(server, { config, lifecycle, openContext, recordResponse });
if (has('limits and gate')) installGate(server, { lifecycle, routes, limits, shedder: createShedder() });
if (has('tokens')) {
  const signatures = new Signatures(server, config);
  installAuthentication(server, { verifier: await createVerifier(), limits, signatures });
}
server.get('/readyz', () => ({ status: 'ok' }));
const app = await NestFactory.create(AppModule, adapter, { logger: false });
await app.init();
lifecycle.serve();
await listen(server);

function createListeners() {
  return createRecordResponse({ logger, metrics: new Metrics({ lifecycle, version }), observer: undefined });
}

function createShedder() {
  return new LoadShedder({ waiting: () => database.figures().waiting, poolSize: config.database.poolSize });
}

async function createVerifier() {
  const peers = new HttpPeers({ config, outbound: new Outbound({ ...config, logger }), ...config.httpClient });
  return new TokenVerifier(await loadTokenRules(config, peers));
}
