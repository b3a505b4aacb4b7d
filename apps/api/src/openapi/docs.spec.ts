import { describe, expect, it, jest } from '@jest/globals';
import { useTestApp } from '../testing/use-test-app.fixture.js';

jest.setTimeout(60_000);

const PAGES = ['/api/v1/docs', '/api/v1/openapi.json'];

describe('the pages for people', () => {
  const app = useTestApp({ configure: (config) => ({ ...config, service: { ...config.service, withUi: false } }) });

  it.each(PAGES)('%s is not there where WITH_UI is false', async (url) => {
    const response = await app.request({ method: 'GET', url });
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([404, 'not-found']);
  });

  it('are not the resources, which stay', async () => {
    expect((await app.request({ method: 'GET', url: '/api/v1/entities', as: 'user_1' })).statusCode).toBe(200);
  });
});

describe('the pages for people where WITH_UI is true', () => {
  const app = useTestApp({ configure: (config) => ({ ...config, service: { ...config.service, withUi: true } }) });

  it.each(PAGES)('%s is there', async (url) => {
    expect((await app.request({ method: 'GET', url })).statusCode).toBe(200);
  });
});
