// node --import ./tools/typescript.mjs docker/src/check-image.ts IMAGE [REBUILT]
// Rules D1 to D13 on a built image, as a table; REBUILT is a second build of the same commit, for D12. Exits with 1 if
// one is broken. `--release` also requires the base image to be pinned by digest.
import { parseArgs } from 'node:util';
import { workspace } from './engine.fixture.js';
import { readImageFacts } from './image-facts.js';
import { imageRules } from './image-rules.js';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { release: { type: 'boolean' } } });
const [image, rebuild] = positionals;
if (image === undefined) {
  console.error(
    'check-image: no image was given; expected its name\n  node --import ./tools/typescript.mjs docker/src/check-image.ts IMAGE',
  );
  process.exit(2);
}
const facts = readImageFacts({
  root: workspace,
  image,
  rebuild: rebuild ?? image,
  base: 'node:24.21.0-trixie-slim',
  // The secret that is leaked most often: the token of an npm registry.
  canary: '_authToken=',
  isRelease: values.release ?? false,
});
for (const { id, title, check } of imageRules) {
  const breaches = check(facts);
  const verdict = id === 'D12' && rebuild === undefined ? 'skipped' : breaches.length === 0 ? 'ok' : '✗';
  console.log(`${id.padEnd(6)}${verdict.padEnd(11)}${title}`);
  for (const breach of breaches) console.log(`      ${breach}`);
  if (breaches.length > 0) process.exitCode = 1;
}
console.log(`size over the base: ${(facts.sizeOverBaseBytes / 1e6).toFixed(1)} MB; ${facts.files.length} files`);
