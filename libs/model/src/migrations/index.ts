// Every migration in the order of its name. `airlock new migration` adds to it; a spec compares it with the folder.
// Two branches that each add one conflict here on purpose: the later one to merge takes a new timestamp.
import type { Migration } from '@airlock/database/model';
import { createEntities } from './20261121030000-create-entities.js';

export const migrations: readonly Migration[] = [createEntities];
