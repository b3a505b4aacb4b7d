import { checkSchema } from '@airlock/database';
import { Parcel, sampleModel } from '@airlock/database/sample';
import { Body, Controller, HttpCode, Module, Post, type Type } from '@nestjs/common';
import { z } from 'zod';
import type { ServiceDefinition } from '../app/service-definition.js';
import { UserId } from '../auth/user-id.decorator.js';
import { Database } from '../data/database.js';
import { job } from '../jobs/job.js';
import { Jobs } from '../jobs/job-sender.js';
import { Operation } from '../openapi/operation.js';
import { Problem } from '../problems/problem.js';
import { MailError } from '../mail/mail-error.js';
import { fatalJob } from '../testing/working-service/src/working-service.fixture.js';

/** The next runs of the job, and what the handler returns. */
export const faults: { run: keyof typeof RUNS; handler: 'good' | 'nothing' | 'other job' | 'roll back' | 'as system' } =
  { run: 'add', handler: 'good' };

const body = z.strictObject({ name: z.string().min(1).max(20), key: z.string().max(20).optional() });

const RUNS = {
  add: () => undefined,
  crash: () => Promise.reject(new Error('the secret of a row')),
  conflict: () => Promise.reject(new Problem('conflict', { detail: 'Another parcel has this name.' })),
  refuse: () => Promise.reject(new MailError('parcel', { isPermanent: true, code: 'EENVELOPE', responseCode: 550 })),
  hang: () => new Promise(() => {}),
};

export const addParcel = job({
  name: 'parcels.add',
  data: z.strictObject({ ownerId: z.string(), name: z.string() }),
  retries: 1,
  retryDelaySeconds: 0,
  timeLimitSeconds: 0.5,
  run: async ({ data, database, finish, setResult }) => {
    await RUNS[faults.run]();
    await database.asUser(data.ownerId, async (tx) => {
      const { id } = await tx.getRepository(Parcel).save({ ...data, attributes: {} });
      setResult(data.name === 'stray' ? '//evil.example/' : `/api/v1/parcels/${id}`);
      await finish(tx);
    });
  },
});

/** Sets its result in the last of its steps. */
export const addTwo = job({
  name: 'parcels.add-two',
  data: addParcel.data,
  cursor: z.int(),
  step: ({ cursor, setResult }) => {
    if (cursor === undefined) return Promise.resolve(1);
    setResult('/api/v1/parcels');
    return Promise.resolve(undefined);
  },
});

@Controller('parcels')
class Parcels {
  constructor(
    private readonly database: Database,
    private readonly jobs: Jobs,
  ) {}

  @Post()
  @HttpCode(202)
  @Operation({ summary: 'Add a parcel', response: { status: 202, job: addParcel } })
  async add(@UserId() ownerId: string, @Body({ schema: body }) { name, key }: z.infer<typeof body>) {
    const { handler } = faults;
    if (handler === 'nothing') return undefined;
    const options = key === undefined ? {} : { key };
    return this.database.asUser(handler === 'as system' ? '' : ownerId, async (tx) => {
      const declared = handler === 'other job' ? addTwo : addParcel;
      const accepted = await this.jobs.accept(tx, declared, { ownerId, name }, options);
      if (handler === 'roll back') throw new Problem('conflict');
      return accepted;
    });
  }

  @Post('two')
  @HttpCode(202)
  @Operation({ summary: 'Add two parcels', response: { status: 202, job: addTwo } })
  async addTwo(@UserId() ownerId: string) {
    return this.database.asUser(ownerId, (tx) => this.jobs.accept(tx, addTwo, { ownerId, name: 'two' }));
  }

  @Post('fatal')
  @HttpCode(202)
  @Operation({ summary: 'End a process', response: { status: 202, job: fatalJob } })
  async end(@UserId() ownerId: string) {
    return this.database.asUser(ownerId, (tx) => this.jobs.accept(tx, fatalJob, {}));
  }
}

@Module({ controllers: [Parcels] })
export class ParcelsModule {}

export const defineParcels = (module: Type): ServiceDefinition => ({
  title: 'Parcels',
  prefix: 'api/v1',
  module,
  constraints: [],
  cachedTables: [],
  jobs: [addParcel, addTwo, fatalJob],
  jobModules: [],
  loadEntities: () => Promise.resolve([Parcel]),
  checkSchema: (session) => checkSchema(session, sampleModel.migrations),
});
