import type { Config } from '@airlock/config';
import { type DynamicModule, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { Database } from '../data/database.js';
import { FileRegister } from '../files/file-register.js';
import { FileStore } from '../files/file-store.js';
import { Files } from '../files/files.js';

@Injectable()
class FilesCloser implements OnApplicationShutdown {
  constructor(@Inject(FileStore) private readonly store: FileStore) {}

  onApplicationShutdown(): Promise<void> {
    return this.store.close();
  }
}

/** Provides the files of users. Nothing is opened before a route takes or sends files. */
@Module({})
export class FilesModule {
  static forRoot(config: Config, logger: Logger): DynamicModule {
    return {
      module: FilesModule,
      global: true,
      providers: [
        FilesCloser,
        {
          provide: FileRegister,
          inject: [Database],
          useFactory: (database: Database) => new FileRegister(database),
        },
        {
          provide: FileStore,
          inject: [FileRegister],
          useFactory: (register: FileRegister) => new FileStore({ config, register, logger }),
        },
        {
          provide: Files,
          inject: [FileStore, FileRegister],
          useFactory: (store: FileStore, register: FileRegister) => new Files(register, store),
        },
      ],
      exports: [Files],
    };
  }
}
