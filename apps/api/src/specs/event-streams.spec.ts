import * as timers from 'node:timers/promises';
import { Database, type EventSubscriber, Operation, type ServerEvent, Subscriber, UserId } from '@airlock/service';
import { EventClient } from '@airlock/service/testing';
import { describe, expect, it } from '@jest/globals';
import * as nest from '@nestjs/common';
import * as zod from 'zod';
import { readCode, runCode } from '../testing/page-code.fixture.js';
import { useTestApi } from '../testing/use-test-api.fixture.js';

interface NewsController {
  follow(userId: string, subscriber: EventSubscriber): AsyncGenerator<ServerEvent>;
}

const [code = '', ...others] = readCode('event-streams.md');
const { EntityNewsController } = runCode(code, {
  'node:timers/promises': timers,
  '@airlock/service': { Database, Operation, Subscriber, UserId },
  '@nestjs/common': nest,
  zod,
}) as { EntityNewsController: nest.Type<NewsController> };
@nest.Module({ controllers: [EntityNewsController] })
class NewsModule {}

describe('docs/event-streams.md', () => {
  const api = useTestApi({ imports: [{ module: NewsModule }] });

  const create = async (name: string, as = 'user_1') => {
    const response = await api.request({ method: 'POST', url: '/api/v1/entities', payload: { name }, as });
    return response.json<{ id: string; name: string }>();
  };
  const follow = async (headers: Record<string, string> = {}) => {
    const authorization = `Bearer ${await api.issuer.sign({ sub: 'user_1' })}`;
    return EventClient.connect(`${await api.app.nest.getUrl()}/api/v1/entity-news`, { authorization, ...headers });
  };

  it('has one block', () => expect([code === '', others]).toEqual([false, []]));

  it('sends the new rows of its user only, and goes on after the last one that the client has', async () => {
    await api.app.nest.listen(0, '127.0.0.1');
    const first = await create('first');
    await create('of another', 'user_2');
    const client = await follow();
    await client.waitFor((block) => block.includes('"first"'));
    const second = await create('second');
    await client.waitFor((block) => block.includes('"second"'));
    expect(client.data).toEqual([first, second].map(({ id, name }) => ({ id, name })));
    client.disconnect();

    const again = await follow({ 'last-event-id': first.id });
    await again.waitFor((block) => block.includes('"second"'));
    expect(again.data).toEqual([{ id: second.id, name: 'second' }]);
    again.disconnect();

    const wrong = await follow({ 'last-event-id': 'nonsense' });
    await wrong.waitFor((block) => block.includes('"second"'));
    expect(wrong.data).toHaveLength(2);
    wrong.disconnect();
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const subscriber = { lastEventId: undefined, signal: controller.signal };
    const news = api.app.nest.get<NewsController>(EntityNewsController).follow('user_without_rows', subscriber);
    const next = news.next();
    controller.abort();
    await expect(next).rejects.toThrow('aborted');
  });
});
