import type { Config } from '@airlock/config';
import { describe, expect, it } from '@jest/globals';
import { describeFreshStart } from './fresh-start.js';

const refusal = Object.assign(new Error('edited'), { name: 'MigrationRefusal' });
const withServer = (server: 'embedded' | 'external') => ({ database: { server } }) as Config;

describe('describeFreshStart', () => {
  it('names the folder of the embedded server, which holds nothing that cannot be made again', () => {
    expect(describeFreshStart(refusal, withServer('embedded'))).toContain('rm -r .airlock/postgres');
  });

  it.each([
    ['another server', refusal, withServer('external')],
    ['another error', new Error('edited'), withServer('embedded')],
    ['an error before the configuration was read', refusal, undefined],
  ])('says nothing for %s', (_, error, config) => expect(describeFreshStart(error, config)).toBe(''));
});
