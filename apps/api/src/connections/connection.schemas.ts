import { boundedText, timestamp } from '@airlock/service';
import { z } from 'zod';

const provider = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'is not the name of a provider')
  .describe('The name of the provider in the configuration of the API.')
  .meta({ examples: ['acme'] });

export const connectionSchema = z
  .strictObject({
    provider,
    account: boundedText(1, 255).describe('The identifier of the account at the provider.'),
    status: z
      .enum(['active', 'broken'])
      .describe('`broken`: the provider no longer accepts the connection. Connect the account again.'),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Connection' });

export const connectionListSchema = z
  .strictObject({ items: z.array(connectionSchema).describe('At most one for each provider.') })
  .meta({ id: 'ConnectionList' });

export const startedConnectionSchema = z
  .strictObject({
    authorizationUrl: z.url().describe('Open it in the browser of the user. No other person may see it.'),
    expiresAt: timestamp.describe('Until then the user must have returned.'),
  })
  .meta({ id: 'StartedConnection' });

export const confirmationSchema = z
  .strictObject({
    confirmation: z
      .string()
      .regex(/^[\w.-]{1,4000}$/, 'is not a confirmation')
      .describe('From the fragment of the page to which the callback sent the user.'),
  })
  .meta({ id: 'ConnectionConfirmation' });

export const providerParameterSchema = z.strictObject({ provider });

export type ConnectionList = z.output<typeof connectionListSchema>;
export type StartedConnection = z.output<typeof startedConnectionSchema>;
export type Confirmation = z.output<typeof confirmationSchema>;
