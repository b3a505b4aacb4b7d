import 'reflect-metadata';
import { createOpenApi, type OpenApiOptions } from '../openapi/create-openapi.js';

/** The OpenAPI document of an app, formatted with Prettier like the committed file. */
export async function renderOpenApi(options: OpenApiOptions): Promise<string> {
  const { format } = await import('prettier');
  return format(JSON.stringify(createOpenApi(options)), { parser: 'json', printWidth: 120 });
}
