import type { Config } from '../load/create-config.js';

/**
 * The whole config, for the code of the product: `constructor(private readonly settings: Settings)`, and
 * `get(Settings)` in a job. A class, so that Nest finds it by its type; the value is the config itself.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- no one constructs it
export class Settings {}
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- see above
export interface Settings extends Config {}
