export { TestDatabase } from './fixture/test-database.js';
export { useTestDatabase, withTestDatabase } from './fixture/use-test-database.js';
export { describeWithRedis, type TestRedis } from './fixture/use-test-redis.js';
