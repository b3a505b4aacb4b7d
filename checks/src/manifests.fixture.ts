/** Run with required-secret.mjs: prints every place that lacks a variable of the schema, as JSON. */
import { renderDocs, renderExamples } from '@airlock/config/loading';
import { findManifestProblems } from './manifest-rules.js';
import { readText } from './repository.js';

const stale = [...renderExamples(), ...renderDocs()]
  .filter(({ path, content }) => readText(path) !== content)
  .map(({ path, command }) => `${path}: run ${command}`);

console.log(JSON.stringify([...(await findManifestProblems()), ...stale].sort()));
