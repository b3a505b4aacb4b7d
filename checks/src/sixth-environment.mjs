// Loaded first by a child process: adds a row without any statement to the table of environments.
import { insertBefore } from './with-edit.mjs';

insertBefore(
  'libs/config/src/values/environment.ts',
  '} as const satisfies Readonly<Record<string, Row>>;',
  'sixth: {},',
);
