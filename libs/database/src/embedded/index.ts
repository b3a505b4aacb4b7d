export { type Cluster, type ClusterOptions, startCluster } from './cluster.js';
export { assertPlainFolder } from './own-folder.js';
export { findFreePortAbove, isPortFree } from './port.js';
export { describeProcess, PortInUseError } from './port-in-use-error.js';
export { identifyOurselves, identifyProcess, isSameProcessAlive, type ProcessIdentity } from './process-identity.js';
export { findRunner, watchRunners } from './runners.js';
export { startScratchCluster } from './scratch-cluster.js';
