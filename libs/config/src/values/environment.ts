/** Where this process runs. Exact bytes; there is no default. */
export const ENVIRONMENTS = ['development', 'testing', 'preview', 'staging', 'production'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];
