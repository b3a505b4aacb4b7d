/** Access to a Docker engine and a registry, for suites that deploy to real ones. */
export { engineVariables } from '../engine/compose-model.js';
export { createDocker, execute, type Docker, type RunResult } from '../engine/docker.js';
export { parseImageReference } from '../engine/image-reference.js';
export { listServices } from '../engine/swarm.js';
export { readImage, tagImage } from '../registry/image-registry.js';
