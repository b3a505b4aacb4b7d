import { EntityRecord } from './entity.entity.js';

export { EntityRecord };

/** Every entity. Data sources map them, and the drift check compares them with the migrations. */
export const entities = [EntityRecord] as const;
