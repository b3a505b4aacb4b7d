// Writes openapi.json from the code of the API: `nx run api:documents`. A spec fails if the file is outdated.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { api } from '../api.js';
import { OPENAPI_FILE, renderOpenApiFile, WORKSPACE } from './openapi-file.js';

await writeFile(join(WORKSPACE, OPENAPI_FILE), await renderOpenApiFile(api));
