export { type Cluster, type ClusterOptions, PortInUseError, startCluster } from './cluster.js';
export { findPortHolder, isPortFree } from './port.js';
export {
  identifyOurselves,
  identifyProcess,
  isSameProcessAlive,
  type ProcessIdentity,
  readCommandLine,
  readParentPid,
} from './process-identity.js';
export { findRunner, findRunners, watchRunners } from './runners.js';
export { startScratchCluster } from './scratch-cluster.js';
