import { describe, expect, it } from '@jest/globals';
import { assertStampWritable } from './assert-writable.js';

const status = (environment: string) => JSON.stringify({ environment, database: 'airlock' });

describe('assertWritable', () => {
  it.each(['development', 'testing', 'preview'])('allows the tests to write to %s', (environment) => {
    expect(() => assertStampWritable(status(environment))).not.toThrow();
  });

  it.each(['staging', 'production', '', 'Testing'])('refuses a database that is stamped %j', (environment) => {
    expect(() => assertStampWritable(status(environment))).toThrow(
      `e2e: database "airlock" is stamped ${environment}; expected development, testing, preview\n  The smoke suite reads only`,
    );
  });
});
