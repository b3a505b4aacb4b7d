/** A worker of an environment, on a database of the tests with the stamp of that environment. */
import { type Config, Secret } from '@airlock/config';
import { checkSchema } from '@airlock/database';
import { runWorker } from '../../../lifecycle/run-worker.js';
import { MailModule } from '../../../mail/mail.module.js';
import { createPlantedConfig, type PlantedProcess } from '../../../outbound/every-way.fixture.js';
import { plantedJob } from '../../../outbound/planted-job.fixture.js';

type Address = Omit<Config['database']['app'], 'password'> & { readonly password: string };

const { address, ...planted } = JSON.parse(process.argv[2] ?? '') as PlantedProcess & { address: Address };
const config = createPlantedConfig(planted);
const app = { ...address, password: new Secret(address.password) };

await runWorker(
  { ...config, redis: undefined, database: { ...config.database, app } },
  {
    version: '0.0.0',
    definition: {
      checkSchema: (session) => checkSchema(session, []),
      loadEntities: () => Promise.resolve([]),
      cachedTables: [],
      jobs: [plantedJob],
      jobModules: [MailModule],
    },
  },
);
