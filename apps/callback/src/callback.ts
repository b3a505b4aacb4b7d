import { model } from '@airlock/model';
import { connectionConstraints, ProviderConnectionsModule } from '@airlock/provider-connections';
import type { ServiceDefinition } from '@airlock/service';
import { describeProduct } from '@airlock/service/product';
import { Module } from '@nestjs/common';
import { CallbackController } from './callback.controller.js';

@Module({ imports: [ProviderConnectionsModule], controllers: [CallbackController] })
class CallbackModule {}

/** Describes the callback to the service. Its visitors come from a provider and have no token. */
export const callback: ServiceDefinition = {
  ...describeProduct(model, []),
  title: 'Airlock callback',
  prefix: 'callback',
  module: CallbackModule,
  acceptsTokens: false,
  constraints: [connectionConstraints],
};
