import type { Model } from '@airlock/database/model';
import type { Type } from '@nestjs/common';
import type { Constraints } from '../data/constraints.js';
import type { CheckSchema } from '../data/database.js';
import type { Job } from '../jobs/job.js';

/** The tables and jobs of the product, the same in every process. The service does not name them itself. */
export interface ProductDefinition {
  /** Checks whether the app's code can serve with the current schema of the database. */
  readonly checkSchema: CheckSchema;
  /** The entities of TypeORM, whose repositories transactions give. */
  readonly loadEntities: Model['loadEntities'];
  /** The tables whose rows a process may cache, for all that change them. */
  readonly cachedTables: Model['cachedTables'];
  /** The jobs that may be sent, and that a worker runs. */
  readonly jobs: readonly Job[];
  /** Modules of Nest whose providers the jobs use, such as `MailModule`. */
  readonly jobModules: readonly Type[];
}

/** Describes an app to the service, which names no resource and no table itself. */
export interface ServiceDefinition extends ProductDefinition {
  /** The title of the OpenAPI document and of its page. */
  readonly title: string;
  /** The first part of every path except those of the probes, such as `api/v1`. */
  readonly prefix: string;
  /** Nest's module with the resources; the OpenAPI document describes its controllers and those of its imports. */
  readonly module: Type;
  /** False for a service of which every route is public or signed: it needs no issuer, and refuses every other request. */
  readonly acceptsTokens?: boolean;
  /** The errors for callers whose row violates a constraint, from each resource. */
  readonly constraints: readonly Constraints[];
}
