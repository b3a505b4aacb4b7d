// Prints each phrase that readers stumble over: node --import ./tools/typescript.mjs checks/src/list-stumbles.mjs [PATH…]
import { listJudged } from './judged-files.ts';
import { findStumbles } from './language.ts';
import { readText } from './repository.ts';

const paths = process.argv.slice(2);
for (const [path, read] of listJudged()) {
  if (paths.length > 0 && !paths.some((prefix) => path.startsWith(prefix))) continue;
  const text = readText(path);
  for (const { line, found, instead } of findStumbles(read(text), text)) {
    console.log(`${path}:${line}: ${found} | ${instead}`);
  }
}
