import type { SmokeResponse, Get } from '../check/create-get.js';
import { probedResource } from '@airlock/model/probed-resource';

/** Tests the life cycle of one row of the probed resource. Throws at the first step that fails. Deletes the row. */
export async function exerciseResourceLifecycle(
  send: Get,
  tokens: { own: string; other: string },
  tell: (step: string) => void,
): Promise<void> {
  const as = (token: string, more: Record<string, string> = {}) => ({ authorization: `Bearer ${token}`, ...more });
  const json = { 'content-type': 'application/json' };
  const create = {
    method: 'POST',
    headers: as(tokens.own, json),
    body: JSON.stringify(probedResource.create('e2e')),
  };
  const created = expectStatus('create', await send(probedResource.path, create), 201);
  tell('created');
  const path = created.headers.get('location') ?? '';
  const etag = created.headers.get('etag') ?? '';
  expectStatus('read', await send(path, { headers: as(tokens.own) }), 200);
  expectStatus('read an unchanged row', await send(path, { headers: as(tokens.own, { 'if-none-match': etag }) }), 304);
  tell('read by its owner');
  expectStatus('read by another user', await send(path, { headers: as(tokens.other) }), 404);
  tell('hidden from another user');
  const change = (headers: Record<string, string>) => ({
    method: 'PATCH',
    headers: as(tokens.own, { ...json, ...headers }),
    body: JSON.stringify(probedResource.change('e2e 2')),
  });
  expectStatus('change without If-Match', await send(path, change({})), 428);
  const changed = expectStatus('change', await send(path, change({ 'if-match': etag })), 200);
  expectStatus('change of an old version', await send(path, change({ 'if-match': etag })), 412);
  tell('changed once, not twice');
  const remove = { method: 'DELETE', headers: as(tokens.own, { 'if-match': changed.headers.get('etag') ?? '' }) };
  expectStatus('delete', await send(path, remove), 204);
  expectStatus('read a deleted row', await send(path, { headers: as(tokens.own) }), 404);
  tell('deleted');
}

function expectStatus(step: string, answer: SmokeResponse, status: number): SmokeResponse {
  if (answer.status === status) return answer;
  throw new Error(`${step}: status ${answer.status}; expected ${status}: ${answer.text.slice(0, 200)}`);
}
