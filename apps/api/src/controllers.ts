import type { Type } from '@nestjs/common';
import { EntitiesController } from './entities/entities.controller.js';

/**
 * The controllers that the OpenAPI document describes. A spec compares the document with the routes that are served.
 */
export const controllers: readonly Type[] = [EntitiesController];
