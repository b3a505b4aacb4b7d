// Loaded first by a child process: the table of environments gets one more row, which states nothing.
import { insertBefore } from './with-edit.mjs';

insertBefore('libs/config/src/values/environment.ts', '} as const satisfies Readonly<Record<string, Row>>;', 'qa: {},');
