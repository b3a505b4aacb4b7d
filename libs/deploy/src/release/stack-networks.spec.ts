import { expect, it } from '@jest/globals';
import type { Docker } from '../engine/docker.js';
import { assertEdgeIsClosed, assertNetworksAreClosed } from './stack-networks.js';

const answering = (stdout: string) => ({ run: () => Promise.resolve(stdout) }) as unknown as Docker;
const networks = { edge: { internal: true }, backend: { internal: true }, outside: {} };
const list = (...open: string[]) =>
  ['edge', 'backend', 'outside']
    .map((key) => JSON.stringify({ Name: `airlock-staging_${key}`, Internal: String(!open.includes(key)) }))
    .join('\n');

it('accepts a stack whose networks are as it says, or do not exist yet', async () => {
  await assertNetworksAreClosed(answering(list('outside')), 'airlock-staging', { networks });
  await assertNetworksAreClosed(answering(''), 'airlock-staging', { networks });
});

it('refuses each network that an earlier release created open', async () => {
  const refused = assertNetworksAreClosed(answering(list('outside', 'edge')), 'airlock-staging', { networks });
  await expect(refused).rejects.toThrow(/^airlock-staging_edge: has a way out; expected an internal network/);
});

it('accepts an open network of an environment that may reach any host', async () => {
  await assertNetworksAreClosed(answering(list('edge')), 'airlock-production', { networks: { edge: {} } });
});

it('refuses a preview on a network of the edge with a way out', async () => {
  await assertEdgeIsClosed(answering('true\n'), 'airlock-edge_edge');
  await expect(assertEdgeIsClosed(answering('false\n'), 'airlock-edge_edge')).rejects.toThrow('airlock-edge_edge: has');
});
