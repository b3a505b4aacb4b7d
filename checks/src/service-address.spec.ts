import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ENVIRONMENTS } from '@airlock/config';
import { root } from './repository.js';

const run = promisify(execFile);

describe('the address of an outside service', () => {
  it('may be fake: in development, testing and preview, and nowhere else', async () => {
    const files = ['service-address.mjs', 'service-address.fixture.ts'].map((name) => join(root, 'checks/src', name));
    const [plant = '', fixture = ''] = files;
    const { stdout } = await run(process.execPath, ['--import', plant, fixture], { cwd: root, env: {} });
    const judged = JSON.parse(stdout) as Record<string, Record<string, string[]>>;
    const refused = (environment: string) => [
      `PAYMENTS_URL: is fake: in ${environment}, which must use the real service`,
    ];
    expect(judged['fake:']).toEqual({
      ...{ development: [], testing: [], preview: [] },
      ...{ staging: refused('staging'), production: refused('production') },
    });
    const accepted = Object.fromEntries(ENVIRONMENTS.map((name) => [name, []]));
    expect(judged['https://api.payments.example']).toEqual(accepted);
    expect(judged['http://10.0.0.7']).toEqual(accepted);
    const plain = expect.stringContaining('PAYMENTS_URL: is not https');
    expect(judged['http://api.payments.example']).toEqual({ ...accepted, staging: [plain], production: [plain] });
    for (const text of ['FAKE:', 'fake:x', 'ftp://a.example'])
      for (const environment of ENVIRONMENTS)
        expect(judged[text]?.[environment]).toEqual([expect.stringContaining(`PAYMENTS_URL: is "${text}"`)]);
  });
});
