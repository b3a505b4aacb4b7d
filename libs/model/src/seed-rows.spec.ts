import { describe, expect, it } from '@jest/globals';
import { seedRows } from './seed-rows.js';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('seedRows', () => {
  it('always creates the same row for the same number', () => {
    expect(seedRows.createRow(7)).toEqual(seedRows.createRow(7));
    expect(seedRows.createRow(0).values).toMatchObject({
      id: '019b76da-a800-72f5-836e-d794f639044e',
      name: 'Sextant 1',
    });
  });

  it('gives ids that are version 7, unique and in the order of time', () => {
    const ids = Array.from({ length: 500 }, (_, index) => String(seedRows.createRow(index).values['id']));
    expect(ids.filter((id) => !UUID_V7.test(id))).toEqual([]);
    expect([...new Set(ids)].sort()).toEqual(ids);
  });
});
