import type { Model } from '@airlock/database/model';
import type { Type } from '@nestjs/common';
import type { Constraints } from '../data/constraints.js';
import type { CheckSchema } from '../data/database.js';

/** Describes an app to the service, which names no resource and no table itself. */
export interface ServiceDefinition {
  /** The title of the OpenAPI document and of its page. */
  readonly title: string;
  /** The first part of every path except those of the probes, such as `api/v1`. */
  readonly prefix: string;
  /** Nest's module with the resources; the OpenAPI document describes its controllers and those of its imports. */
  readonly module: Type;
  /** False for a service of which every route is public or signed: it needs no issuer, and refuses every other request. */
  readonly acceptsTokens?: boolean;
  /** Checks whether the app's code can serve with the current schema of the database. */
  readonly checkSchema: CheckSchema;
  /** The entities of TypeORM, whose repositories transactions give. */
  readonly loadEntities: Model['loadEntities'];
  /** The errors for callers whose row violates a constraint, from each resource. */
  readonly constraints: readonly Constraints[];
}
