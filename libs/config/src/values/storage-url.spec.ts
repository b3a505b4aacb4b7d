import { describe, expect, it } from '@jest/globals';
import { parseStorageUrl } from './storage-url.js';

const parse = (text: string) => parseStorageUrl(text, 'STORAGE_URL');

describe('parseStorageUrl', () => {
  it('reads a bucket with its keys and its region', () => {
    const address = parse('s3://AKIA:a%2Fb%2Bc@s3.eu-central-1.corp.net:443/corp-files?region=eu-central-1');
    expect({ ...address, secretKey: '' }).toEqual({
      kind: 'bucket',
      host: 's3.eu-central-1.corp.net',
      port: 443,
      hasTls: true,
      accessKey: 'AKIA',
      secretKey: '',
      bucket: 'corp-files',
      region: 'eu-central-1',
    });
    expect(address.kind === 'bucket' && address.secretKey.reveal()).toBe('a/b+c');
  });

  it('reads a bucket without TLS and without a region', () => {
    expect(parse('s3+http://a:b@minio:9000/files')).toMatchObject({ hasTls: false, region: 'us-east-1' });
  });

  it.each([
    ['file:./.airlock/files', './.airlock/files'],
    ['file:/tmp/airlock-files', '/tmp/airlock-files'],
  ])('reads the folder of %s', (text, path) => expect(parse(text)).toEqual({ kind: 'folder', path }));

  it.each([
    ['', 'does not start with'],
    ['file:', 'does not start with'],
    ['file:/', 'does not start with'],
    ['file:..', 'does not start with'],
    ['file:./../files', 'does not start with'],
    ['file:/a/../etc', 'does not start with'],
    ['file:/a//b', 'does not start with'],
    ['file://host/a', 'does not start with'],
    ['https://a:b@s3.corp.net:443/files', 'does not start with'],
    ['s3://files', 'names no user'],
    ['s3://s3.corp.net:443/files', 'names no user'],
    ['s3://a@s3.corp.net:443/files', 'holds no password'],
    ['s3://a:b@s3.corp.net/files', 'has no port'],
    ['s3://a:b@s3.corp.net:443', 'has no valid name of a bucket'],
    ['s3://a:b@s3.corp.net:443/Files', 'has no valid name of a bucket'],
    ['s3://a:b@s3.corp.net:443/fi/les', 'has no valid name of a bucket'],
    ['s3://a:b@s3.corp.net:443/fi..les', 'has no valid name of a bucket'],
    ['s3://a:b@s3.corp.net:443/files?endpoint=x', 'has another query than a region'],
    ['s3://a:b@s3.corp.net:443/files?region=a&region=b', 'has another query than a region'],
  ])('rejects %j', (text, problem) => expect(() => parse(text)).toThrow(problem));
});
