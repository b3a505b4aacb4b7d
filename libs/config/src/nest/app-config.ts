import type { Config } from '../load/create-config.js';

/**
 * The whole config, for the code of the product: `constructor(private readonly config: AppConfig)`, and
 * `get(AppConfig)` in a job. A class, so that Nest finds it by its type; the value is the config itself.
 */
export const AppConfig = class {} as new () => Config;
export type AppConfig = Config;
