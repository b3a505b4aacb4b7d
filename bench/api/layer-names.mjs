/** In the order in which they are laid on top of each other. */
export const LAYERS = [
  'Nest',
  'row-level security',
  'ids, context, headers',
  'log and metrics',
  'limits and gate',
  'tokens',
];
