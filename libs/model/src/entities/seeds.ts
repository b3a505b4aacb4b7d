import type { Seeds } from '@airlock/database/model';
import { entitySeeds } from './entity.seeds.js';

/** The sample rows of every table, in the order of their foreign keys: docs/seeds.md. */
export const seeds: Seeds = { users: ['user_ada', 'user_grace', 'user_linus'], tables: [entitySeeds] };
