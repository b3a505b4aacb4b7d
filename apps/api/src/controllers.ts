import type { Type } from '@nestjs/common';
import { EntitiesController } from './entities/entities.controller.js';

/** Whatever is described in the OpenAPI document. A spec compares it with the routes that are served. */
export const controllers: readonly Type[] = [EntitiesController];
