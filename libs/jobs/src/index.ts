import { ProviderConnectionsModule } from '@airlock/provider-connections';
import { countEntities } from './count-entities.js';
import { renewConnections } from './renew-connections.js';
import { renameAttribute } from './rename-attribute.js';

export { countEntities, renameAttribute };

/** Every job. The API may send them, and the worker runs them. */
export const jobs = [countEntities, renewConnections, renameAttribute] as const;

/** The modules whose providers these jobs use. */
export const jobModules = [ProviderConnectionsModule] as const;
