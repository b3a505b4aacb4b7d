import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { createOpenApi, type OpenApiOptions } from '../openapi/create-openapi.js';
import { withOperations } from '../operations/operations.module.js';

type RenderOptions = Omit<OpenApiOptions, 'module'> & { readonly module: Type };

/** The OpenAPI document of an app, formatted with Prettier like the committed file. */
export async function renderOpenApi({ module, ...options }: RenderOptions): Promise<string> {
  const { format } = await import('prettier');
  return format(JSON.stringify(createOpenApi({ ...options, module: withOperations(module) })), {
    parser: 'json',
    printWidth: 120,
  });
}
