import { ProviderConnectionsModule } from '@airlock/provider-connections';
import { Module } from '@nestjs/common';
import { ConnectionsController } from './connections.controller.js';

@Module({ imports: [ProviderConnectionsModule], controllers: [ConnectionsController] })
export class ConnectionsModule {}
