// node --import ./tools/typescript.mjs docker/src/print-compose-table.ts
// The rules on the rendered model of every environment, as a table; exit code 1 where one is broken.
import { tabulate } from './check-compose.js';
import { workspace } from './engine.fixture.js';

const table = tabulate(workspace);
console.log(table);
process.exitCode = table.includes('✗') ? 1 : 0;
