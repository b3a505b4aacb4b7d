/** For processes that serve: one connection pool, its identity check, and the check that the schema fits the code. */
export { ServerError, withClient } from './connect/client.js';
export { createDataSource } from './connect/data-source.js';
export { openRunner } from './connect/guarded-data-source.js';
export { openCopy } from './connect/open-copy.js';
export { DatabaseModule, openDataSource } from './connect/database.module.js';
export { IdentityError } from './identity/assert-identity.js';
export { checkSchema } from './migrate/schema-range.js';
