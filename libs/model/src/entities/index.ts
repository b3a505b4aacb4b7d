import type { Classes } from '@airlock/database/model';
import { entityClasses, EntityRecord } from './entity.entity.js';
import {
  providerConnectionAttemptClasses,
  ProviderConnectionAttemptRecord,
} from './provider-connection-attempt.entity.js';
import { providerConnectionClasses, ProviderConnectionRecord } from './provider-connection.entity.js';

export { EntityRecord, ProviderConnectionAttemptRecord, ProviderConnectionRecord };

/** Every entity. Data sources map them, and the drift check compares them with the migrations. */
export const entities = [EntityRecord, ProviderConnectionRecord, ProviderConnectionAttemptRecord] as const;

/** The class of every column. A table without an entity has its own line: `['labels', { id: 'internal' }]`. */
export const classes: Classes = Object.fromEntries([
  entityClasses,
  providerConnectionClasses,
  providerConnectionAttemptClasses,
]);
