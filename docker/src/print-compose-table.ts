// node --import ./tools/typescript.mjs docker/src/print-compose-table.ts
// The rules on the rendered model of every environment, as a table; then each breach with file and line. Exits with 1
// if there is one.
import { checkSources } from './source-rules.js';
import { composeFiles } from './compose-copy.fixture.js';
import { tabulate } from './check-compose.js';
import { workspace } from './engine.fixture.js';

const { table, breaches } = tabulate(workspace);
console.log(table);
const all = [...breaches, ...checkSources(workspace, composeFiles)];
for (const breach of all) console.log(breach);
process.exitCode = all.length > 0 ? 1 : 0;
