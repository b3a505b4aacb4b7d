import type { Config } from '../load/create-config.js';

/**
 * The whole config, for the code of the product: `constructor(private readonly config: AppConfig)`, and
 * `get(AppConfig)` in a job. A class, so that Nest finds it by its type; the value is the config itself.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- it is never constructed
export class AppConfig {}
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- see above
export interface AppConfig extends Config {}
