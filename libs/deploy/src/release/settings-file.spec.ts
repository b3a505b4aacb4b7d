import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { assertSettingsReachStack } from './settings-file.js';

const judge = (text: string) => {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-settings-'));
  try {
    const file = join(folder, 'staging.env');
    writeFileSync(file, text);
    return () => assertSettingsReachStack([file, join(folder, 'missing')]);
  } finally {
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
};

describe('assertSettingsReachStack', () => {
  it.each([
    [
      'PORT=9000',
      /staging\.env: sets PORT; expected it to be left out, because the edge and the health check use port 8000/,
    ],
    ['LOG_LEVEL=info\nexport ENVIRONMENT=staging', /sets ENVIRONMENT; .* the overlay belongs to one environment/],
    ['DATABASE_SSL_CA_FILE=/ca.pem', /sets DATABASE_SSL_CA_FILE; .* without TLS/],
  ])('refuses %j', (text, problem) => {
    expect(judge(text)).toThrow(problem);
  });

  it.each([['WORKERS=8\nIMAGE_DIGEST=sha256:0'], ['# PORT=9000'], ['CORS_ORIGINS=https://x.example.com?PORT=1'], ['']])(
    'accepts %j',
    (text) => {
      expect(judge(text)).not.toThrow();
    },
  );
});
