// Loaded first by a child process: adds a secret to the schema that every deployed environment requires.
import { insertBefore } from './with-edit.mjs';

insertBefore(
  'libs/config/src/variables/schema.ts',
  '  SENTRY_DSN: secret(',
  `PLANTED_SECRET: secret().optional().register(variables, {
     group: 'Service',
     description: 'Where mail is handed over.',
     example: 'smtp://airlock:changethis@smtp.example.com',
     required: DEPLOYED,
     secret: true,
   }),`,
);
