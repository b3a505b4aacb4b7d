import { describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { z } from 'zod';
import { createOpenApi } from '../openapi/create-openapi.js';
import { Operation } from '../openapi/operation.js';
import { useTestApp } from '../testing/use-test-app.fixture.js';
import { UserId } from './user-id.decorator.js';
import { defineService } from '../testing/define-service.fixture.js';

const RESPONSE = { status: 200, schema: z.object({ seen: z.string() }).meta({ id: 'Seen' }) } as const;
const BODY = { schema: z.object({ name: z.string() }).meta({ id: 'Named' }) };

@Controller('parcels')
class Parcels {
  @Get('rates')
  @Operation({ summary: 'Read the rates', response: RESPONSE, access: 'public' })
  rates() {
    return { seen: 'rates' };
  }

  @Get('mine')
  @Operation({ summary: 'Read your parcels', response: RESPONSE })
  mine(@UserId() userId: string) {
    return { seen: userId };
  }

  @Get('all')
  @Operation({ summary: 'Read all parcels', response: RESPONSE, access: { role: 'support' } })
  all(@UserId() userId: string) {
    return { seen: userId };
  }

  @Post('all')
  @Operation({ summary: 'Add for another', response: { ...RESPONSE, status: 201 }, access: { role: 'support' } })
  add(@Body(BODY) { name }: { name: string }) {
    return { seen: name };
  }
}
@Module({ controllers: [Parcels] })
class ParcelsModule {}

const definition = defineService(ParcelsModule);

describe('the access that a route declares', () => {
  const app = useTestApp(definition);
  const paths = createOpenApi({ ...definition, version: '1', prefix: '' })['paths'] as Record<
    string,
    Record<'get', { security?: object[]; responses: Record<string, { description: string }> }>
  >;

  it('is a token by default', async () => {
    expect((await app.request({ url: '/api/v1/parcels/mine' })).statusCode).toBe(401);
    expect((await app.request({ url: '/api/v1/parcels/mine', as: 'user_1' })).json()).toEqual({ seen: 'user_1' });
    expect(paths['/parcels/mine']?.get).not.toHaveProperty('security');
  });

  it('may be public, also for a caller with a bad token', async () => {
    const headers = { authorization: 'Bearer nonsense' };
    expect((await app.request({ url: '/api/v1/parcels/rates' })).json()).toEqual({ seen: 'rates' });
    expect((await app.request({ url: '/api/v1/parcels/rates', headers })).statusCode).toBe(200);
    expect(paths['/parcels/rates']?.get.security).toEqual([]);
    expect(paths['/parcels/rates']?.get.responses).not.toHaveProperty('401');
  });

  it.each<[string, readonly string[] | undefined, number]>([
    ['the role', ['support'], 200],
    ['the role among others', ['sales', 'support'], 200],
    ['another role', ['sales'], 403],
    ['a role that only contains its name', ['support-trainee', 'unsupport'], 403],
    ['the role in capitals', ['SUPPORT'], 403],
    ['no roles', [], 403],
    ['no claim', undefined, 403],
  ])('may be a role, for a token with %s', async (_, roles, status) => {
    const response = await app.request({ url: '/api/v1/parcels/all', as: 'user_1', ...(roles && { roles }) });
    expect(response.statusCode).toBe(status);
    if (status === 403)
      expect(response.json()).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('support') });
  });

  it('is judged before the body is read, and without a token it is 401', async () => {
    const request = { method: 'POST', url: '/api/v1/parcels/all', payload: { wrong: true } } as const;
    expect((await app.request(request)).statusCode).toBe(401);
    expect((await app.request({ ...request, as: 'user_1' })).statusCode).toBe(403);
    expect((await app.request({ ...request, as: 'user_1', roles: ['support'] })).statusCode).toBe(422);
  });

  it('is not remembered from one token of a user for another', async () => {
    const url = '/api/v1/parcels/all';
    expect((await app.request({ url, as: 'user_1', roles: ['support'] })).statusCode).toBe(200);
    expect((await app.request({ url, as: 'user_1' })).statusCode).toBe(403);
  });

  it('stands in the document with its role', () => {
    expect(paths['/parcels/all']?.get.security).toEqual([{ bearer: ['support'] }]);
    expect(paths['/parcels/all']?.get.responses['403']?.description).toContain('forbidden');
    expect(paths['/parcels/mine']?.get.responses).not.toHaveProperty('403');
  });
});
