import { Etags, Operation, UserId } from '@airlock/service';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { EntitiesService } from './entities.service.js';
import {
  type Entity,
  type EntityChanges,
  type EntityList,
  type EntityPage,
  type NewEntity,
  entityChangesSchema,
  entityIdSchema,
  entityListSchema,
  entityPageSchema,
  entitySchema,
  newEntitySchema,
} from './entity.schemas.js';

const BODY = { schema: newEntitySchema };
const CHANGES = { schema: entityChangesSchema };
const ID = { schema: entityIdSchema };
const LIST = { schema: entityListSchema };

@Controller('entities')
export class EntitiesController {
  constructor(
    private readonly entities: EntitiesService,
    private readonly etags: Etags,
  ) {}

  @Get()
  @Operation({
    summary: 'List your entities',
    response: { status: 200, schema: entityPageSchema },
    problems: ['invalid-cursor'],
  })
  list(@UserId() userId: string, @Query(LIST) request: EntityList): Promise<EntityPage> {
    return this.entities.list(userId, request);
  }

  @Post()
  @Operation({
    summary: 'Create an entity',
    response: { status: 201, schema: entitySchema, headers: ['etag', 'location'] },
    problems: ['conflict'],
  })
  async create(
    @UserId() userId: string,
    @Body(BODY) body: NewEntity,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Entity> {
    const entity = await this.entities.create(userId, body);
    reply.header('location', `/api/v1/entities/${entity.id}`).header('etag', this.etags.create(entity.version));
    return entity;
  }

  @Get(':id')
  @Operation({
    summary: 'Read an entity',
    response: { status: 200, schema: entitySchema, headers: ['etag'] },
    conditional: 'if-none-match',
    problems: ['not-found'],
  })
  async read(
    @UserId() userId: string,
    @Param(ID) { id }: { id: string },
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Entity | undefined> {
    const entity = await this.entities.read(userId, id);
    reply.header('etag', this.etags.create(entity.version));
    if (!this.etags.isKnown(known, entity.version)) return entity;
    reply.code(304);
    return undefined;
  }

  @Patch(':id')
  @Operation({
    summary: 'Change an entity',
    response: { status: 200, schema: entitySchema, headers: ['etag'] },
    conditional: 'if-match',
    problems: ['conflict', 'not-found'],
  })
  async update(
    @UserId() userId: string,
    @Param(ID) { id }: { id: string },
    @Headers('if-match') ifMatch: string | undefined,
    @Body(CHANGES) changes: EntityChanges,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Entity> {
    const entity = await this.entities.update({ userId, id, versions: this.etags.parseIfMatch(ifMatch) }, changes);
    reply.header('etag', this.etags.create(entity.version));
    return entity;
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation({
    summary: 'Delete an entity',
    response: { status: 204 },
    conditional: 'if-match',
    problems: ['conflict', 'not-found'],
  })
  delete(
    @UserId() userId: string,
    @Param(ID) { id }: { id: string },
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    return this.entities.delete({ userId, id, versions: this.etags.parseIfMatch(ifMatch) });
  }
}
