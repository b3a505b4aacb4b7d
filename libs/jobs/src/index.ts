import { countEntities } from './count-entities.js';
import { renameAttribute } from './rename-attribute.js';

export { countEntities, renameAttribute };

/** Every job. The API may send them, and the worker runs them. */
export const jobs = [countEntities, renameAttribute] as const;
