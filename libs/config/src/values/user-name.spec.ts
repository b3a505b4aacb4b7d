import { execFileSync, spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { skipUnless } from '../testing/skip-unless.js';
import { readUserName } from './user-name.js';

const HOOKS = fileURLToPath(new URL('../../../../tools/typescript.mjs', import.meta.url));
const MODULE = new URL('./user-name.ts', import.meta.url);
/** In a user namespace, this process runs as a user without an entry in /etc/passwd. */
const NAMELESS = ['--user', '--map-user=12345', '--map-group=12345'];
const hasNamespaces = spawnSync('unshare', [...NAMELESS, 'true']).status === 0;
const itWithNamespaces = skipUnless(hasNamespaces, it, 'no user namespaces');

describe('the name of the user', () => {
  it('is that of /etc/passwd', () => {
    expect(readUserName()).toBe(userInfo().username);
  });

  itWithNamespaces('is a number where there is none', () => {
    const script = `import { readUserName } from '${MODULE.href}'; console.log(readUserName());`;
    const node = [process.execPath, '--import', HOOKS, '--input-type=module', '--eval', script];
    expect(execFileSync('unshare', [...NAMELESS, ...node], { encoding: 'utf8' })).toBe('uid 12345\n');
  });
});
