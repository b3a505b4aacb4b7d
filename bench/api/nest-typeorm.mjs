// (b) The usual way: NestJS on Fastify with a TypeORM repository, without the pipeline.
import 'reflect-metadata';
import { Body, Controller, Get, HttpCode, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DataSource, EntitySchema } from 'typeorm';
import { createOptions, listen } from './common.mjs';

const Row = new EntitySchema({
  name: 'bench_entities',
  columns: {
    id: { type: 'uuid', primary: true, generated: 'uuid' },
    ownerId: { type: 'text', name: 'owner_id' },
    name: { type: 'text' },
    attributes: { type: 'jsonb' },
    version: { type: 'int', default: 1 },
    createdAt: { type: 'timestamptz', name: 'created_at', default: () => 'now()' },
    updatedAt: { type: 'timestamptz', name: 'updated_at', default: () => 'now()' },
  },
});
const { user, max, ...rest } = createOptions();
// eslint-disable-next-line no-restricted-syntax -- the compared servers must not use this workspace's libraries
const source = await new DataSource({
  type: 'postgres',
  ...rest,
  username: user,
  poolSize: max,
  entities: [Row],
}).initialize();
const rows = source.getRepository(Row);

class EntitiesController {
  read(id) {
    return rows.findOneBy({ id });
  }
  async list() {
    return {
      items: await rows.find({ where: { ownerId: 'user_1' }, order: { createdAt: 'DESC', id: 'DESC' }, take: 20 }),
      nextCursor: null,
    };
  }
  create(body) {
    return rows.save({ ownerId: 'user_1', ...body });
  }
}
decorate('read', [Get('entities/:id')], [Param('id')]);
decorate('list', [Get('entities')], []);
decorate('create', [Post('entities'), HttpCode(201)], [Body()]);
Controller('api/v1')(EntitiesController);
class HealthController {
  healthz() {
    return { status: 'ok' };
  }
  async readyz() {
    await source.query('SELECT 1');
    return { status: 'ok', checks: { database: 'up' } };
  }
}
for (const name of ['healthz', 'readyz'])
  Get(name)(HealthController.prototype, name, Object.getOwnPropertyDescriptor(HealthController.prototype, name));
Controller()(HealthController);
class AppModule {}
Module({ controllers: [EntitiesController, HealthController] })(AppModule);

const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
await app.init();
await listen(app.getHttpAdapter().getInstance());

function decorate(name, decorators, parameters) {
  const { prototype } = EntitiesController;
  parameters.forEach((parameter, index) => parameter(prototype, name, index));
  for (const decorator of decorators) decorator(prototype, name, Object.getOwnPropertyDescriptor(prototype, name));
}
