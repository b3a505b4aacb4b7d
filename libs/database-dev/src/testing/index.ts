export { TestDatabase } from './fixture/test-database.js';
export { type TestDatabaseOptions, useTestDatabase, withTestDatabase } from './fixture/use-test-database.js';
export { describeWithRedis, type TestRedis, useTestRedis } from './fixture/use-test-redis.js';
