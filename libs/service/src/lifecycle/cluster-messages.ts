import cluster, { type Worker } from 'node:cluster';
import type { Health, HealthResponse } from '@airlock/health';
import type { AggregatorRegistry, PrometheusContentType, Registry } from 'prom-client';

const ASK_HEALTH = 'airlock:health?';
const RESPONSE_TIMEOUT_MS = 2_000;
const NO_RESPONSE: HealthResponse = { statusCode: 503, body: { status: 'fail' } };

interface HealthMessage {
  readonly type: typeof ASK_HEALTH;
  readonly response: HealthResponse;
}

/** In the supervisor: the sum of the metrics of all workers. */
export async function createClusterMetrics(): Promise<AggregatorRegistry<PrometheusContentType>> {
  const { AggregatorRegistry } = await import('prom-client');
  return new AggregatorRegistry();
}

/** In a worker: responds to the supervisor's requests for health and metrics. */
export async function respondToSupervisor(health: Health, registry: Registry): Promise<void> {
  if (!cluster.isWorker) return;
  const { AggregatorRegistry } = await import('prom-client');
  AggregatorRegistry.setRegistries([registry]);
  // The constructor registers the listener.
  new AggregatorRegistry();
  process.on('message', (message) => {
    if (message !== ASK_HEALTH) return;
    void health.detail().then((response) => process.send?.({ type: ASK_HEALTH, response } satisfies HealthMessage));
  });
}

/** Returns the health of the first worker that responds. All workers check the same components. */
export function askHealth(workers: readonly Worker[]): Promise<HealthResponse> {
  return new Promise((resolve) => {
    const finish = (response: HealthResponse) => {
      clearTimeout(timer);
      for (const worker of workers) worker.off('message', listen);
      resolve(response);
    };
    const listen = (message: unknown) => {
      if (isHealthMessage(message)) finish(message.response);
    };
    const timer = setTimeout(() => finish(NO_RESPONSE), RESPONSE_TIMEOUT_MS);
    for (const worker of workers) worker.on('message', listen).send(ASK_HEALTH);
  });
}

function isHealthMessage(message: unknown): message is HealthMessage {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === ASK_HEALTH;
}
