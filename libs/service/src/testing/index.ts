/** For the specs of apps that use the service. */
export { type App, createApp } from '../app/create-app.js';
export { RequestContext, runInContext } from '../context/request-context.js';
export { type RefusalCause, refusals } from '../failures/token-refusal.js';
export { translateError } from '../failures/translate-error.js';
export { mergeConstraints } from '../data/constraints.js';
export { AppProcess, type AppProcessOptions } from './app-process.fixture.js';
export { EventClient } from './event-client.fixture.js';
export { findFreePort } from './free-port.fixture.js';
export { startKeptAlive } from './keep-alive-clients.fixture.js';
export { readMetrics, readSpans, type SentSpan } from './otlp.fixture.js';
export { signWebhook } from './sign-webhook.fixture.js';
export { createRandom, type Random } from './random.fixture.js';
export { type Received, withReceiver } from './receiver.fixture.js';
export { describeWithOwnRedis, TestRedis } from './redis.fixture.js';
export { TcpProxy } from './tcp-proxy.fixture.js';
export { PARTY, TestIssuer } from './test-issuer.fixture.js';
export { type TestApp, type TestAppOptions, useTestApp } from './use-test-app.fixture.js';
export { useTogether } from './use-together.fixture.js';
