import { readFileSync } from 'node:fs';
import { startService } from '@airlock/service/start';

const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(manifest) as { version: string };
await startService({ program: 'callback', version, load: async () => (await import('./callback.js')).callback });
