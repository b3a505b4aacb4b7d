// Writes what is generated from the code of the API: `nx run api:documents`. A spec fails where it was forgotten.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createDocuments, DOCUMENT_ROOT, ERROR_FOLDER } from './documents.js';

const documents = await createDocuments();
const folder = join(DOCUMENT_ROOT, ERROR_FOLDER);
await mkdir(folder, { recursive: true });
for (const name of await readdir(folder)) await rm(join(folder, name));
for (const [path, content] of documents) {
  await mkdir(dirname(join(DOCUMENT_ROOT, path)), { recursive: true });
  await writeFile(join(DOCUMENT_ROOT, path), content);
}
