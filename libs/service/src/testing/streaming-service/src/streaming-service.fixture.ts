import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Module } from '@nestjs/common';
import { z } from 'zod';
import type { EventSubscriber } from '../../../context/request-context.js';
import { Subscriber } from '../../../events/subscriber.decorator.js';
import { Operation } from '../../../openapi/operation.js';
import type { Conversation } from '../../../sockets/connection.js';
import { defineService } from '../../define-service.fixture.js';

const EVENTS = { status: 200, events: z.object({ n: z.number() }).meta({ id: 'Tick' }) } as const;

@Controller('ticks')
class Ticks {
  @Get()
  @Operation({ summary: 'Follow the time', response: EVENTS })
  async *follow(@Subscriber() { signal }: EventSubscriber) {
    for (let n = 0; ; n += 1) {
      yield { data: { n } };
      await sleep(10, undefined, { signal });
    }
  }

  @Get('fast')
  @Operation({ summary: 'Much data', response: EVENTS })
  async *fast() {
    for (let n = 0; ; n += 1) {
      await new Promise(setImmediate);
      yield { data: { n, text: 'x'.repeat(10_000) } };
    }
  }

  @Get('socket')
  @Operation({ summary: 'Follow the time', response: { status: 101, messages: { sent: EVENTS.events } } })
  talk(): Conversation {
    return async ({ send, signal }) => {
      for (let n = 0; ; n += 1) {
        await send({ n });
        await sleep(10, undefined, { signal });
      }
    };
  }
}
@Module({ controllers: [Ticks] })
class TicksModule {}

export const streamingService = defineService(TicksModule);
