import { SetMetadata } from '@nestjs/common';
import type { z } from 'zod';
import type { ProblemCode } from '../problems/problem-codes.js';

/** The facts that the route itself does not contain. Parameters and bodies come from the schemas that validate them. */
export interface OperationDescription {
  readonly summary: string;
  readonly response: {
    readonly status: 200 | 201 | 204;
    readonly schema?: z.ZodType;
    readonly headers?: readonly ('etag' | 'location')[];
  };
  /** The conditional header that the operation supports. */
  readonly conditional?: 'if-match' | 'if-none-match';
  /** Additional to the problems of every operation. */
  readonly problems?: readonly ProblemCode[];
}

export const OPERATION = 'airlock:operation';

/** Describes a route of a controller in the OpenAPI document. */
export const Operation = (description: OperationDescription) => SetMetadata(OPERATION, description);
