import { describe, expect, it } from '@jest/globals';
import { inspectConfig } from '../load/inspect-config.js';
import { goodEnvironments } from '../testing/index.js';

function judge(url: string): string[] {
  const env = { ...goodEnvironments.staging, REFRESH_BACKUP_URL: url };
  return inspectConfig({ env, files: false }).violations.map(({ name, problem }) => `${name}: ${problem}`);
}

const bucket = (name: string, host = 's3.corp.net:443') => `s3://AKIA7EXAMPLE:wNk3v0qXZr8bYt5L@${host}/${name}`;

describe('the backups that a refresh reads', () => {
  it.each([
    bucket('corp-production-backups'),
    bucket('corp-backups', 's3.prod.corp.net:443'),
    'file:/restored/backups',
  ])('may be those of production, and in a folder that is only read: %s', (url) => expect(judge(url)).toEqual([]));

  it.each([
    [bucket('corp-preview-backups'), 'its word preview belongs to another environment than staging'],
    [bucket('corp-backups', 's3.preview.corp.net:443'), 'its word preview belongs to another environment than staging'],
    [bucket('corp-backups', 'localhost:443'), 'names the host localhost, this machine'],
    [bucket('corp-backups').replace('s3:', 's3+http:'), 'connects to the host s3.corp.net without TLS'],
  ])('keep to every other rule: %s', (url, problem) => {
    expect(judge(url).join()).toContain(`REFRESH_BACKUP_URL: `);
    expect(judge(url).join()).toContain(problem);
  });
});
