export { EntityRecord } from './entities/entity.entity.js';
export { migrate, type MigrateOptions, type MigrationReport } from './migrate/migrate.js';
export { migrationsHash } from './migrate/migrations-hash.js';
export { pendingMigrations, schemaHead } from './migrate/schema-range.js';
export { seed, type SeedOptions, type SeedReport } from './seed/seed.js';
