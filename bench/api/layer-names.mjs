/** The layers, from the innermost to the outermost. */
export const LAYERS = [
  'Nest',
  'row-level security',
  'ids, context, headers',
  'log and metrics',
  'limits and gate',
  'tokens',
];
