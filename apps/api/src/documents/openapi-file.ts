import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@airlock/service';
import { renderOpenApi } from '@airlock/service/documents';
import { readPackageVersion } from '../package-version.js';

export const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));
/** Relative to the root of the workspace. */
export const OPENAPI_FILE = 'apps/api/openapi.json';

/** The OpenAPI document of the API, as the committed file must contain it. */
export function renderOpenApiFile({ title, prefix, module }: ServiceDefinition): Promise<string> {
  return renderOpenApi({ title, prefix: `/${prefix}`, version: readPackageVersion(), module });
}
