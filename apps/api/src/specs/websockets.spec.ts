import { type Conversation, Database, Operation, UserId } from '@airlock/service';
import { SocketClient } from '@airlock/service/testing';
import { describe, expect, it } from '@jest/globals';
import * as nest from '@nestjs/common';
import * as zod from 'zod';
import { readCode, runCode } from '../testing/page-code.fixture.js';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const [code = '', ...others] = readCode('websockets.md');
const { EntitySearchesController } = runCode(code, {
  '@airlock/service': { Database, Operation, UserId },
  '@nestjs/common': nest,
  zod,
}) as { EntitySearchesController: nest.Type<{ search(userId: string): Conversation }> };
@nest.Module({ controllers: [EntitySearchesController] })
class SearchesModule {}

describe('docs/websockets.md', () => {
  const api = useTestApi({ imports: [{ module: SearchesModule }] });

  it('has one block of TypeScript', () => expect([code === '', others]).toEqual([false, []]));

  it('answers each message with the rows of its user only, to a page as to other clients', async () => {
    await api.app.nest.listen(0, '127.0.0.1');
    for (const [name, as] of [
      ['kettle', 'user_1'],
      ['key', 'user_1'],
      ['keyboard of another', 'user_2'],
    ] as const)
      await api.request({ method: 'POST', url: '/api/v1/entities', payload: { name }, as });
    const url = `${await api.app.nest.getUrl()}/api/v1/entity-searches`;
    const token = await api.issuer.sign({ sub: 'user_1' });
    for (const options of [
      { headers: { authorization: `Bearer ${token}` } },
      { protocols: ['json', `bearer.${token}`] },
    ]) {
      const client = await SocketClient.connect(url, options);
      for (const prefix of ['ke', 'key', 'x']) client.send({ prefix });
      expect(await client.waitFor(3)).toEqual([
        { prefix: 'ke', names: ['kettle', 'key'] },
        { prefix: 'key', names: ['key'] },
        { prefix: 'x', names: [] },
      ]);
      client.send({ prefix: '' });
      expect(await client.closed).toEqual([4422, expect.stringContaining('#/prefix')]);
    }
  });
});
