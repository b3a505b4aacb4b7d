import { describe, expect, it } from '@jest/globals';
import { createPreparedName } from './owner-query.js';

describe('prepared statements', () => {
  it.each(['', 'x'.repeat(10_000), '🫖'.repeat(500), 'a\u0301', '\u00e1'])(
    'have names within the limit of PostgreSQL: %#',
    (text) => {
      const name = createPreparedName({ name: text, text });
      expect(Buffer.byteLength(name)).toBeLessThan(63);
    },
  );
});
