import { EntityRecord } from './entity.entity.js';

export { EntityRecord };

/** Every entity: what a data source maps, and what the drift check compares with the migrations. */
export const entities = [EntityRecord] as const;
