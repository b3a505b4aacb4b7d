import { z } from 'zod';

/** The state of an accepted request, which is a job. */
export const operationSchema = z
  .object({
    id: z.uuid(),
    status: z.enum(['pending', 'running', 'done', 'failed']),
    result: z.string().optional().describe('The path of the result, if it is done and has one.'),
    problem: z
      .unknown()
      .optional()
      .meta({ openapi: { $ref: '#/components/schemas/Problem' } }),
  })
  .meta({ id: 'Operation' });
