import { get } from 'node:http';

get({ host: '127.0.0.1', port: process.env.PORT ?? 8_000, path: '/startupz', timeout: 1_500 }, ({ statusCode }) =>
  process.exit(statusCode === 200 ? 0 : 1),
).on('error', () => process.exit(1));
