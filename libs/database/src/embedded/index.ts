export { type Cluster, type ClusterOptions, PortInUseError, startCluster } from './cluster.js';
export { findPortHolder, isPortFree } from './port.js';
