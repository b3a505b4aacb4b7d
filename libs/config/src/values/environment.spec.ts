import { describe, expect, it } from '@jest/globals';
import { ENVIRONMENTS } from './environment.js';

describe('ENVIRONMENTS', () => {
  it('lists the five environments in order of strictness', () => {
    expect(ENVIRONMENTS).toEqual(['development', 'testing', 'preview', 'staging', 'production']);
  });
});
