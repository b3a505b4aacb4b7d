import { afterEach, expect, it, jest } from '@jest/globals';
import { warnOfDoubts } from './warn-of-doubts.js';

const name = '20261128T100000Z-00c0ffee';
const printed = jest.spyOn(console, 'error').mockReturnValue();
afterEach(() => void printed.mockClear());

it('names the backup and each table that lost rows, and how to find another backup', () => {
  warnOfDoubts({ name, doubts: ['public.orders: 40 rows, 6000 before', 'public.items: 0 rows, 9 before'] });
  expect(printed.mock.calls).toEqual([
    [`warning: ${name} is shrunken: public.orders: 40 rows, 6000 before`],
    [`warning: ${name} is shrunken: public.items: 0 rows, 9 before`],
    ['  airlock db backups   # shows those that are not'],
  ]);
});

it('prints nothing about a backup without doubts', () => {
  warnOfDoubts({ name, doubts: [] });
  expect(printed).not.toHaveBeenCalled();
});
