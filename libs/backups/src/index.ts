export { describeBackups } from './backups.js';
