import type { z } from 'zod';

/** The data of a job do not fit its shape. Repeating it would not help. */
export class UnfitJob extends Error {
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
