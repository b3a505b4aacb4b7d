/** The functions behind the commands deploy, promote, rollback, secret, status and preview. */
export { DeployError } from './engine/deploy-error.js';
export { createDocker } from './engine/docker.js';
export { parseTime } from './engine/duration.js';
export { parseImageReference } from './engine/image-reference.js';
export { deployImage } from './change/deploy-image.js';
export { describeStatus, loadEnvironmentStatus, type EnvironmentStatus } from './change/environment-status.js';
export { promoteImage } from './change/promote-image.js';
export { rollBackRelease } from './change/roll-back.js';
export { runChange } from './change/run-change.js';
export { runHosted } from './hosted/run-hosted.js';
export { openPreviews, type PreviewChoices, type Previews } from './preview/previews.js';
export { assertPromotion } from './release/promotion.js';
export { createSettings, parseStackName, type CommonOptions } from './release/deploy-settings.js';
export { loadStack } from './release/load-stack.js';
export type { DeploymentRecord } from './release/release-record.js';
export { listSecretVersions, putSecret } from './release/stack-secrets.js';
