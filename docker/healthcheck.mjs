// The image's health check: exits with 0 if /startupz returns 200, else with 1. Needs no shell and no curl. The route
// is
// latched: it waits for the database once, so that a later database outage restarts nothing.
import { get } from 'node:http';

// The probes of a worker are on the management port.
const { PORT = 8000, MANAGEMENT_PORT = 9000 } = process.env;
const port = process.argv[2] === 'management' ? MANAGEMENT_PORT : PORT;
const request = get({ host: '127.0.0.1', port, path: '/startupz', timeout: 4000 });
request.on('response', ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1));
request.on('timeout', () => process.exit(1));
request.on('error', () => process.exit(1));
