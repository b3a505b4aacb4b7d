/** For suites: access to a Docker engine and a registry, and the check of settings files. */
export { engineVariables } from '../engine/compose-model.js';
export { createDocker, execute, type Docker, type RunResult } from '../engine/docker.js';
export { parseImageReference } from '../engine/image-reference.js';
export { listServices } from '../engine/swarm.js';
export { assertSettingsReachStack } from '../release/settings-file.js';
export { readImage, tagImage } from '../registry/image-registry.js';
