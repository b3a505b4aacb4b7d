import { EntityRecord } from './entity.entity.js';
import { ProviderConnectionAttemptRecord } from './provider-connection-attempt.entity.js';
import { ProviderConnectionRecord } from './provider-connection.entity.js';

export { EntityRecord, ProviderConnectionAttemptRecord, ProviderConnectionRecord };

/** Every entity. Data sources map them, and the drift check compares them with the migrations. */
export const entities = [EntityRecord, ProviderConnectionRecord, ProviderConnectionAttemptRecord] as const;
