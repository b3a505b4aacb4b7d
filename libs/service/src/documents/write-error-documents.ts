// Writes the pages that are generated from the error codes: `nx run service:documents`. A spec fails if a page is
// outdated.
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createErrorDocuments, ERROR_FOLDER } from './error-documents.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const folder = join(ROOT, ERROR_FOLDER);
for (const name of await readdir(folder)) await rm(join(folder, name));
for (const [path, content] of createErrorDocuments()) await writeFile(join(ROOT, path), content);
