// Preloaded in development: loads the modules of the API while the database starts, then waits for permission to start.
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { API, ROOT } from './workspace.js';

const begun = once(process, 'message');
// A broken module is reported when the API itself imports it.
const modules = ['libs/service/src/lifecycle/serve-app.ts', `${API}/src/api.ts`];
await Promise.allSettled(modules.map((path) => import(pathToFileURL(join(ROOT, path)).href)));
await begun;
