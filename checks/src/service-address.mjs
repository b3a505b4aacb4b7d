// Loaded first by a child process: adds the address of an outside service to the schema, as a product does.
import { insertBefore } from './with-edit.mjs';

insertBefore(
  'libs/config/src/variables/schema.ts',
  '  SENTRY_DSN: secret(',
  `PAYMENTS_URL: (await import('./fields.js')).serviceAddress().optional().register(variables, {
     group: 'Payments',
     description: 'The address of the payment service, or fake: for its fake.',
   }),`,
);
