import { z } from 'zod';
import { PermanentError } from './permanent-error.js';

export const envelopeSchema = z.object({
  data: z.unknown(),
  cursor: z.unknown().optional(),
  requestId: z.string().optional(),
  correlationId: z.string().optional(),
  traceparent: z.string().optional(),
  /** The user who may read the state of the job. */
  ownerId: z.string().optional(),
});

/** The content of a job in its queue. */
export type Envelope = z.infer<typeof envelopeSchema>;

/** The data of a job do not fit its shape. */
export class UnfitJob extends PermanentError {
  override readonly name = 'UnfitJob';
}

/**
 * Names the fields only: values may be data of a user.
 *
 * @throws UnfitJob
 */
export function assertFits<T>(shape: z.ZodType<T>, value: unknown, where: string): T {
  const { data, error } = shape.safeParse(value);
  if (!error) return data;
  const fields = error.issues.map(({ path, code }) => `${path.map(String).join('.') || 'data'} (${code})`);
  throw new UnfitJob(`${where}: does not fit its shape in ${fields.join(', ')}; expected data of that shape`);
}
