// The image's health check: exits with 0 if /startupz returns 200, else with 1. Needs no shell and no curl. The route
// is
// latched: it waits for the database once, so that a later database outage restarts nothing.
import { get } from 'node:http';

const request = get({ host: '127.0.0.1', port: process.env.PORT ?? 8000, path: '/startupz', timeout: 4000 });
request.on('response', ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1));
request.on('timeout', () => process.exit(1));
request.on('error', () => process.exit(1));
