import { EntityRecord } from './entity.entity.js';

/** Every entity: what a data source maps, and what the drift check compares with the migrations. */
export const entities = [EntityRecord] as const;
