export type Fields = Record<string, unknown>;

/** The fields without those named. */
export function omit(fields: Fields, ...names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
