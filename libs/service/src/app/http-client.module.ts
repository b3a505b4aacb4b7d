import { type ConfigType, httpClientConfig } from '@airlock/config/nest';
import { Module } from '@nestjs/common';
import { HttpClient } from '../http-client/http-client.js';

/** Provides the client for outgoing HTTP. */
@Module({
  providers: [
    {
      provide: HttpClient,
      inject: [httpClientConfig.KEY],
      useFactory: (config: ConfigType<typeof httpClientConfig>) => new HttpClient(config),
    },
  ],
  exports: [HttpClient],
})
export class HttpClientModule {}
