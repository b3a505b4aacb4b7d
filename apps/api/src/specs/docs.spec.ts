import { gunzipSync } from 'node:zlib';
import { describe, expect, it, jest } from '@jest/globals';
import { useTestApi } from '../testing/use-test-api.fixture.js';

jest.setTimeout(60_000);

const PAGES = ['/api/v1/docs', '/api/v1/openapi.json'];

describe('the pages of the API documentation', () => {
  const app = useTestApi({ configure: (config) => ({ ...config, service: { ...config.service, withUi: false } }) });

  it.each(PAGES)('%s does not exist if WITH_UI is false', async (url) => {
    const response = await app.request({ method: 'GET', url });
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([404, 'not-found']);
  });

  it('are disabled without disabling the resources', async () => {
    expect((await app.request({ method: 'GET', url: '/api/v1/entities', as: 'user_1' })).statusCode).toBe(200);
  });
});

describe('the pages of the API documentation if WITH_UI is true', () => {
  const app = useTestApi({ configure: (config) => ({ ...config, service: { ...config.service, withUi: true } }) });

  it.each(PAGES)('%s exists', async (url) => {
    expect((await app.request({ method: 'GET', url })).statusCode).toBe(200);
  });

  it('fit a phone, follow its colour scheme and contain their icon', async () => {
    const { body } = await app.request({ method: 'GET', url: '/api/v1/docs' });
    expect(body).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(body).toContain('<meta name="color-scheme" content="light dark">');
    expect(body).toMatch(/<link rel="icon" href="data:image\/svg\+xml,/);
    expect((await app.request({ method: 'GET', url: '/api/v1/docs/theme.js' })).body).toContain('dark-mode');
    expect((await app.request({ method: 'GET', url: '/api/v1/docs/swagger-ui.css' })).body).toContain('html.dark-mode');
  });

  it('are served with all their assets, without a token', async () => {
    const { body } = await app.request({ method: 'GET', url: '/api/v1/docs' });
    const paths = [...body.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, path]) => path);
    expect(paths.length).toBeGreaterThan(4);
    for (const path of paths) {
      const response = await app.request({ method: 'GET', url: `/api/v1/${path}` });
      expect([path, response.statusCode, response.headers['content-type']]).toEqual([
        path,
        200,
        expect.stringMatching(/^text\/(css|javascript); charset=utf-8$/),
      ]);
    }
  });

  it.each([
    ['gzip, deflate, br', 'gzip'],
    ['br;q=1, GZIP;q=0.5', 'gzip'],
    ['*', 'gzip'],
    ['gzip;q=0', undefined],
    ['br', undefined],
    [undefined, undefined],
  ])('are sent to a browser that accepts %s as %s', async (accepted, encoding) => {
    const headers = accepted === undefined ? {} : { 'accept-encoding': accepted };
    const url = '/api/v1/docs/swagger-ui-bundle.js';
    const response = await app.request({ method: 'GET', url, headers });
    expect([response.headers['content-encoding'], response.headers['vary']]).toEqual([encoding, 'accept-encoding']);
    const text = encoding ? gunzipSync(response.rawPayload).toString() : response.body;
    expect(text).toContain('SwaggerUIBundle');
    if (encoding) expect(response.rawPayload.length).toBeLessThan(600_000);
  });
});
