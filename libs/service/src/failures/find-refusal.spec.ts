import { loadConfig } from '@airlock/config/loading';
import { goodEnvironments, withHeldPort } from '@airlock/config/testing';
import { describe, expect, it } from '@jest/globals';
import { startManagementServer } from '../lifecycle/management-server.js';
import { findRefusal } from './find-refusal.js';

const configure = (env: Record<string, string>) =>
  loadConfig({ env: { ...goodEnvironments.testing, ...env }, files: false });

const fail = (fields: object) => Object.assign(new Error('failed'), fields);

/** The real error of a server at this address. */
function failToListen({ host = '127.0.0.1', port }: { host?: string; port: number }): Promise<unknown> {
  const unused = () => Promise.reject(new Error('not asked'));
  const server = startManagementServer({ host, port, readMetrics: unused, readHealth: unused });
  // An Error of Node is not an instance of the class that Jest gives to the code under test.
  return server.then(
    (server) => server.close(() => undefined),
    (error: object) => fail(error),
  );
}

describe('findRefusal', () => {
  it.each([
    ['PORT', 'MANAGEMENT_PORT'],
    ['MANAGEMENT_PORT', 'PORT'],
  ])('names %s if another process holds it, and not %s', (name, other) =>
    withHeldPort(async (port) => {
      const config = configure({ [name]: String(port), [other]: '0' });
      expect(findRefusal(await failToListen({ port }), config)?.message).toBe(
        `${name}: ${port} is in use; expected a free port\n` +
          `  set ${name} to another port, or stop the process that uses ${port}`,
      );
    }),
  );

  it('names HOST if the address belongs to another machine', async () => {
    const error = await failToListen({ host: '192.0.2.1', port: 0 });
    expect(findRefusal(error, configure({ HOST: '192.0.2.1' }))?.message).toBe(
      'HOST: 192.0.2.1 is not an address of this machine; expected one of its addresses\n' +
        '  HOST=127.0.0.1   # or 0.0.0.0, which means all of them',
    );
  });

  // Not provoked: an administrator may use every port, and so may a container.
  it.each([
    ['PORT', 80],
    ['MANAGEMENT_PORT', 443],
  ])('names %s if it needs a privilege', (name, port) => {
    const error = fail({ code: 'EACCES', syscall: 'listen', address: '127.0.0.1', port });
    expect(findRefusal(error, configure({ PORT: '80', MANAGEMENT_PORT: '443' }))?.message).toBe(
      `${name}: ${port} needs a privilege that this process does not have; expected a port from 1024\n` +
        `  set ${name} to a port from 1024 to 65535`,
    );
  });

  it.each([
    ['in a worker', { code: 'EADDRINUSE', syscall: 'bind', address: '127.0.0.1', port: 8000 }, /^PORT: 8000 is in use/],
    [
      'on a machine without IPv6',
      { code: 'EAFNOSUPPORT', syscall: 'listen', address: '::', port: 8000 },
      /^HOST: :: is not an address/,
    ],
  ])('explains a server that cannot listen %s', (_, fields, text) => {
    expect(findRefusal(fail(fields), configure({}))?.message).toMatch(text);
  });

  it.each([
    [{ code: 'EACCES', syscall: 'open', path: '/run/secrets/key' }],
    [{ code: 'EADDRNOTAVAIL', syscall: 'connect', address: '127.0.0.1', port: 5432 }],
    [{ code: 'EMFILE', syscall: 'listen', address: '127.0.0.1', port: 8000 }],
  ])('blames no variable for %j', (fields) => {
    expect(findRefusal(fail(fields), configure({}))).toBeUndefined();
  });
});
