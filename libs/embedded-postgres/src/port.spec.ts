import { withHeldPort } from '@airlock/config/testing';
import { describe, expect, it } from '@jest/globals';
import { findFreePortAbove, isPortFree } from './port.js';

describe('a port', () => {
  it('is free exactly while no process listens on it', async () => {
    let held = 0;
    await withHeldPort(async (port) => {
      held = port;
      expect(await isPortFree(port)).toBe(false);
      expect(await isPortFree(port, '0.0.0.0')).toBe(false);
      expect(await findFreePortAbove(port - 1)).not.toBe(port);
    });
    expect(await isPortFree(held)).toBe(true);
  });

  it('is not held by another process because the address belongs to another machine', () =>
    withHeldPort(async (port) => expect(await isPortFree(port, '192.0.2.1')).toBe(true)));
});
