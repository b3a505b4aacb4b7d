import { Controller, type DynamicModule, Get, Module, Param, Res, type Type } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { UserId } from '../auth/user-id.decorator.js';
import { id } from '../data/resource-schemas.js';
import { Jobs } from '../jobs/job-sender.js';
import type { JobStatus } from '../jobs/job-status.js';
import { listControllers } from '../openapi/list-controllers.js';
import { OPERATION, Operation, type OperationDescription } from '../openapi/operation.js';
import { suggestPause } from '../jobs/accepted.interceptor.js';
import { operationSchema } from '../jobs/operation-schema.js';

export const OPERATIONS_PATH = 'operations';
const ID = { schema: z.object({ id }) };

@Controller(OPERATIONS_PATH)
class OperationsController {
  constructor(private readonly jobs: Jobs) {}

  @Get(':id')
  @Operation({
    summary: 'Read the state of an accepted request',
    response: { status: 200, schema: operationSchema, headers: ['retry-after'] },
    problems: ['not-found'],
  })
  async read(
    @UserId() userId: string,
    @Param(ID) { id: of }: { id: string },
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JobStatus> {
    const status = await this.jobs.readStatus(userId, of);
    suggestPause(reply, status);
    return status;
  }
}

@Module({ controllers: [OperationsController] })
class OperationsModule {}

@Module({})
class WithOperations {}

/** The module of an app, with the route for the states of accepted jobs if a route of it accepts one. */
export function withOperations(module: Type): Type | DynamicModule {
  if (!listControllers(module).some(acceptsJobs)) return module;
  return { module: WithOperations, imports: [module, OperationsModule] };
}

function acceptsJobs({ prototype }: Type): boolean {
  const members = Object.values(Object.getOwnPropertyDescriptors(prototype as object));
  return members.some(({ value }: { value?: unknown }) => {
    if (typeof value !== 'function') return false;
    const description = Reflect.getMetadata(OPERATION, value) as OperationDescription | undefined;
    return description?.response.job !== undefined;
  });
}
