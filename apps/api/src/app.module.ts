import { Module } from '@nestjs/common';
import { ConnectionsModule } from './connections/connections.module.js';
import { EntitiesModule } from './entities/entities.module.js';

/** The resources of the API. */
@Module({ imports: [EntitiesModule, ConnectionsModule] })
export class AppModule {}
