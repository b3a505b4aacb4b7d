import { describe, expect, it } from '@jest/globals';
import { findWordOf, isTestDatabaseName, maxDatabaseNameBytes } from './database-names.js';

describe('isTestDatabaseName', () => {
  it.each([
    'airlock_test',
    'airlock_test_w1',
    'airlock_test_tpl',
    'airlock_test_0a1b2c3d',
    'airlock_test_w2_0a1b2c3d',
    'my_app2_test',
  ])('accepts %s', (name) => {
    expect(isTestDatabaseName(name)).toBe(true);
  });

  it.each([
    '',
    'test',
    '_test',
    'airlock',
    'latest',
    'contest',
    'attestation',
    'protest',
    'testimonials',
    'fastest_prod',
    'test_airlock',
    'prod_test',
    'airlock_production_test',
    'staging_test',
    'airlock_test_prod',
    'airlock_test2',
    'airlock_testing',
    'airlock-test',
    'AIRLOCK_TEST',
    'airlock_test ',
    'airlock_test\n',
    'airlock__test',
    'airlock_test_w',
    'airlock_test_0a1b2c3',
    '1airlock_test',
  ])('refuses %j', (name) => {
    expect(isTestDatabaseName(name)).toBe(false);
  });
});

describe('maxDatabaseNameBytes', () => {
  it.each([
    ['testing', ['_tpl', '_owner', '_0a1b2c3d']],
    ['production', ['_owner']],
  ] as const)('leaves room in %s for %j', (environment, suffixes) => {
    const most = maxDatabaseNameBytes(environment);
    expect(Math.max(...suffixes.map((suffix) => most + suffix.length))).toBe(63);
  });
});

describe('findWordOf', () => {
  it.each([
    ['airlock_test', 'test'],
    ['test-airlock', 'test'],
    ['AirlockTest', 'test'],
    ['dev', 'dev'],
    ['app_dev2', 'dev'],
    ['app.e2e.x', 'e2e'],
    ['latest', undefined],
    ['contest', undefined],
    ['devices', undefined],
    ['attestation', undefined],
    ['development_tools', 'development'],
    ['developers', undefined],
    ['airlock', undefined],
  ])('finds in %s the word %s', (name, word) => {
    expect(findWordOf(name, ['development', 'testing'])).toBe(word);
  });
});
