import { Global, Module } from '@nestjs/common';
import { Database } from './database.js';

/** How every resource reaches its rows. */
@Global()
@Module({ providers: [Database], exports: [Database] })
export class DataModule {}
