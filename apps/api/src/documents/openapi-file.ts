import { fileURLToPath } from 'node:url';
import { renderOpenApi } from '@airlock/service/documents';
import { api } from '../api.js';
import { readPackageVersion } from '../package-version.js';

export const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));
/** Relative to the root of the workspace. */
export const OPENAPI_FILE = 'apps/api/openapi.json';

/** The OpenAPI document of the API, as the committed file must contain it. */
export function renderOpenApiFile(): Promise<string> {
  const { title, prefix, module } = api;
  return renderOpenApi({ title, prefix: `/${prefix}`, version: readPackageVersion(), module });
}
