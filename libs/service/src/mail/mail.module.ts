import { type ConfigType, mailConfig } from '@airlock/config/nest';
import { Module } from '@nestjs/common';
import { Outbound } from '../outbound/outbound.js';
import { Mailer } from './mailer.js';

/** Imported by a product that sends mail: where mail must arrive, its programs then start only with a mail server. */
@Module({
  providers: [
    {
      provide: Mailer,
      inject: [Outbound, mailConfig.KEY],
      useFactory: (outbound: Outbound, mail: ConfigType<typeof mailConfig>) => new Mailer({ outbound, mail }),
    },
  ],
  exports: [Mailer],
})
export class MailModule {}
