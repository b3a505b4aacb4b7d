import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { EventStream, type ServerEvent } from './event-stream.js';

const never: AsyncIterable<ServerEvent> = {
  [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
};
const create = (events: AsyncIterable<ServerEvent>, heartbeatMs = 60_000) => {
  const errors: unknown[] = [];
  return { errors, stream: new EventStream(events, { heartbeatMs, onError: (error) => void errors.push(error) }) };
};

describe('EventStream', () => {
  it('sends comments while nothing happens', async () => {
    const { stream } = create(never, 1);
    const chunks: string[] = [];
    for await (const chunk of stream) {
      chunks.push(chunk as string);
      if (chunks.length === 4) break;
    }
    expect(chunks.slice(1)).toEqual([':\n\n', ':\n\n', ':\n\n']);
  });

  it('stops the producer once, however often it is ended', async () => {
    let stops = 0;
    const stop = () => Promise.resolve({ done: true as const, value: void (stops += 1) });
    const { stream } = create({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined), return: stop }),
    });
    stream.finish();
    stream.finish();
    for await (const chunk of stream) expect(chunk).toMatch(/^retry/);
    stream.destroy();
    expect(stops).toBe(1);
  });

  it('adds no comments for a client that does not read', async () => {
    const { stream } = create(never, 1);
    const before = stream.readableLength;
    await sleep(50);
    expect(stream.readableLength).toBe(before);
    stream.destroy();
  });

  it.each<[string, AsyncIterable<ServerEvent>]>([
    [
      'an iterator that throws at once',
      {
        [Symbol.asyncIterator]: () => ({
          next: () => {
            throw new Error('broken');
          },
        }),
      },
    ],
    [
      'an iterator that cannot be stopped',
      { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('broken')) }) },
    ],
    [
      'data that cannot be JSON',
      one({
        data: {
          toJSON: () => {
            throw new Error('broken');
          },
        },
      }),
    ],
  ])('reports %s once, and ends', async (_, events) => {
    const { stream, errors } = create(events);
    for await (const chunk of stream) expect(chunk).toMatch(/^retry/);
    expect(errors).toEqual([new Error('broken')]);
  });

  it.each(['id', 'event'])('refuses line ends in %s', async (field) => {
    for (const value of ['a\nb', 'a\rb', '', 'a b', 'a\0', 'é']) {
      const { stream, errors } = create(one({ [field]: value, data: 1 }));
      for await (const chunk of stream) expect(chunk).toMatch(/^retry/);
      expect(errors).toHaveLength(1);
    }
  });

  it('keeps data on one line', async () => {
    const { stream } = create(one({ data: 'a\nb\r\u2028\n\ndata: c' }));
    let text = '';
    for await (const chunk of stream) text += chunk as string;
    expect(text.split('\n\n')[1]).toBe('data: "a\\nb\\r\u2028\\n\\ndata: c"');
  });
});

async function* one(event: ServerEvent): AsyncGenerator<ServerEvent> {
  await sleep(1);
  yield event;
}
