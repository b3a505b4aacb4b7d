import { describe, expect, it } from '@jest/globals';
import { describeBackups } from './backups.js';

describe('describeBackups', () => {
  it('returns the name of the library', () => {
    expect(describeBackups()).toBe('backups');
  });
});
