// Every migration in the order of its name. `airlock new migration` adds to it; a spec compares it with the folder.
// Two branches that each add one conflict here on purpose: the later one to merge takes a new timestamp.
import type { Migration } from '@airlock/database/model';
import { createEntities } from './20261121030000-create-entities.js';
import { openEntitiesToTheSystem } from './20261127090000-open-entities-to-the-system.js';
import { createJobs } from './20261127100000-create-jobs.js';
import { createProviderConnections } from './20261127120000-create-provider-connections.js';

export const migrations: readonly Migration[] = [
  createEntities,
  openEntitiesToTheSystem,
  createJobs,
  createProviderConnections,
];
