/** Reads, validates and describes a configuration: for the entry points of programs and for commands. */
export { inspectConfig, type Inspection, type LoadOptions } from './load/inspect-config.js';
export { loadConfig } from './load/load-config.js';
export { renderEnvExample } from './render/env-example.js';
export { renderDocs, renderExamples, writeGenerated } from './render/generated-files.js';
export { printVariables, renderVariables } from './render/print.js';
export { setUpEnvFile } from './sources/set-up-env-file.js';
export { renderTraits } from './render/traits.js';
export { isRead, metaOf, variableNames } from './variables/schema.js';
