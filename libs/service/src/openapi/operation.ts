import { SetMetadata } from '@nestjs/common';
import type { z } from 'zod';
import type { ProblemCode } from '../problems/problem-codes.js';

/** What cannot be read off a route itself. Parameters and bodies come from the schemas that validate them. */
export interface OperationDescription {
  readonly summary: string;
  readonly answer: {
    readonly status: 200 | 201 | 204;
    readonly schema?: z.ZodType;
    readonly headers?: readonly ('etag' | 'location')[];
  };
  /** The header by which the answer depends on the version the caller has. */
  readonly conditional?: 'if-match' | 'if-none-match';
  /** Besides those that every operation can answer with. */
  readonly problems?: readonly ProblemCode[];
}

export const OPERATION = 'airlock:operation';

/** Describes a route of a controller for the OpenAPI document. */
export const Operation = (description: OperationDescription) => SetMetadata(OPERATION, description);
