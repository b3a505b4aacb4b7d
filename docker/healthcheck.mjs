// The image's health check: 0 when /startupz answers 200, else 1. Needs no shell and no curl. The route is latched: it
// waits for the database once, so that a database outage later restarts nothing.
import { get } from 'node:http';

const request = get({ host: '127.0.0.1', port: process.env.PORT ?? 8000, path: '/startupz', timeout: 4000 });
request.on('response', ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1));
request.on('timeout', () => process.exit(1));
request.on('error', () => process.exit(1));
