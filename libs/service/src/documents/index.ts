export { findBreakingChanges } from './breaking-changes.js';
export { findRelease, readReleased } from './released-document.js';
export { renderOpenApi } from './render-openapi.js';
export type { Json } from './schema-changes.js';
