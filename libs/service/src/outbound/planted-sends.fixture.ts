/** A process of an environment that tries to reach a host outside in every way. Prints the outcome of each. */
import { Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { serve } from '../lifecycle/serve-app.js';
import { MailModule } from '../mail/mail.module.js';
import { Mailer } from '../mail/mailer.js';
import { createPlantedConfig, type PlantedProcess, tryEveryWay } from './every-way.fixture.js';
import { HttpPeers } from './http-peers.js';

const planted = JSON.parse(process.argv[2] ?? '') as PlantedProcess;

@Injectable()
class Planted implements OnApplicationBootstrap {
  constructor(
    private readonly peers: HttpPeers,
    private readonly mailer: Mailer,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const outcomes = await tryEveryWay(this.peers, this.mailer, planted.ports);
    process.stdout.write(`\n${JSON.stringify({ outcomes })}\n`, () => process.exit(0));
  }
}

@Module({ imports: [MailModule], providers: [Planted] })
class PlantedModule {}

await serve(createPlantedConfig(planted), {
  version: '0.0.0',
  definition: {
    title: 'Planted',
    prefix: 'api/v1',
    module: PlantedModule,
    checkSchema: () => Promise.resolve(undefined) as never,
    loadEntities: () => Promise.resolve([]),
    constraints: [],
    cachedTables: [],
    jobs: [],
    jobModules: [],
  },
});
