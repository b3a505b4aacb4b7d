// Loaded before the API in development: reads its modules while the database is still starting, and lets it begin when told.
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './workspace.js';

const begun = once(process, 'message');
// What is wrong with a module is said when the API itself asks for it.
const modules = ['libs/service/src/lifecycle/serve-app.ts', 'apps/api/src/api.ts'];
await Promise.allSettled(modules.map((path) => import(pathToFileURL(join(ROOT, path)).href)));
await begun;
