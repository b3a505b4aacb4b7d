import type { Config } from '@airlock/config';
import type { DataSourceChoices, SchemaVerdict } from '@airlock/database';
import type { DynamicModule, Type } from '@nestjs/common';
import type { ClientBase } from 'pg';

/** What makes an app out of the service: its resources and the model of its database. */
export interface ServiceDefinition {
  /** The title of the OpenAPI document and of its page. */
  readonly title: string;
  /** The first part of every path but those of the probes, such as `api/v1`. */
  readonly prefix: string;
  /** Nest's module with the resources. */
  readonly module: Type;
  /** The controllers that the OpenAPI document describes. */
  readonly controllers: readonly Type[];
  readonly model: ServiceModel;
}

/** The service names no table of an app: it asks the app's model. */
export interface ServiceModel {
  /** Nest's module with the data source, which the service opens later. */
  readonly connect: (config: Config, choices: Pick<DataSourceChoices, 'printSql'>) => DynamicModule;
  /** Whether this code can serve on the schema that the database has now. */
  readonly checkSchema: (session: ClientBase) => Promise<SchemaVerdict>;
}
