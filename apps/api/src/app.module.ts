import { Module } from '@nestjs/common';
import { EntitiesModule } from './entities/entities.module.js';

/** The resources of the API. */
@Module({ imports: [EntitiesModule] })
export class AppModule {}
