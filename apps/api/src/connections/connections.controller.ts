import { Attempts, Connections } from '@airlock/provider-connections';
import { Operation, UserId } from '@airlock/service';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import {
  type Confirmation,
  confirmationSchema,
  type ConnectionList,
  connectionListSchema,
  providerParameterSchema,
  type StartedConnection,
  startedConnectionSchema,
} from './connection.schemas.js';

const PROVIDER = { schema: providerParameterSchema };
const CONFIRMATION = { schema: confirmationSchema };

/** The accounts of the caller at other services. No response contains a token of one. */
@Controller('connections')
export class ConnectionsController {
  constructor(
    private readonly attempts: Attempts,
    private readonly connections: Connections,
  ) {}

  @Get()
  @Operation({ summary: 'List your connected accounts', response: { status: 200, schema: connectionListSchema } })
  async list(@UserId() userId: string): Promise<ConnectionList> {
    return { items: await this.connections.list(userId) };
  }

  @Post(':provider')
  @Operation({
    summary: 'Start to connect an account',
    response: { status: 201, schema: startedConnectionSchema },
    problems: ['not-found'],
  })
  async start(
    @UserId() userId: string,
    @Param(PROVIDER) { provider }: { provider: string },
  ): Promise<StartedConnection> {
    const { authorizationUrl, expiresAt } = await this.attempts.start(userId, provider);
    return { authorizationUrl, expiresAt: expiresAt.toISOString() };
  }

  @Put(':provider')
  @HttpCode(204)
  @Operation({ summary: 'Confirm a connected account', response: { status: 204 }, problems: ['not-found'] })
  confirm(
    @UserId() userId: string,
    @Param(PROVIDER) { provider }: { provider: string },
    @Body(CONFIRMATION) { confirmation }: Confirmation,
  ): Promise<void> {
    return this.attempts.confirm(userId, provider, confirmation);
  }

  @Delete(':provider')
  @HttpCode(204)
  @Operation({ summary: 'Disconnect an account', response: { status: 204 }, problems: ['not-found'] })
  delete(@UserId() userId: string, @Param(PROVIDER) { provider }: { provider: string }): Promise<void> {
    return this.connections.delete(userId, provider);
  }
}
