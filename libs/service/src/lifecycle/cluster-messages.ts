import cluster, { type Worker } from 'node:cluster';
import type { Health, HealthAnswer } from '@airlock/health';
import type { AggregatorRegistry, PrometheusContentType, Registry } from 'prom-client';

const ASK_HEALTH = 'airlock:health?';
const ANSWER_TIMEOUT_MS = 2_000;
const NO_ANSWER: HealthAnswer = { statusCode: 503, body: { status: 'fail' } };

interface HealthMessage {
  readonly type: typeof ASK_HEALTH;
  readonly answer: HealthAnswer;
}

/** In the process that supervises: the sum of what its workers have counted. */
export async function createClusterMetrics(): Promise<AggregatorRegistry<PrometheusContentType>> {
  const { AggregatorRegistry } = await import('prom-client');
  return new AggregatorRegistry();
}

/** In a worker: answers what the supervising process asks. */
export async function answerSupervisor(health: Health, registry: Registry): Promise<void> {
  if (!cluster.isWorker) return;
  const { AggregatorRegistry } = await import('prom-client');
  AggregatorRegistry.setRegistries([registry]);
  // Making one is what makes it listen.
  new AggregatorRegistry();
  process.on('message', (message) => {
    if (message !== ASK_HEALTH) return;
    void health.detail().then((answer) => process.send?.({ type: ASK_HEALTH, answer } satisfies HealthMessage));
  });
}

/** What the first worker to answer says; all of them ask the same components. */
export function askHealth(workers: readonly Worker[]): Promise<HealthAnswer> {
  return new Promise((resolve) => {
    const finish = (answer: HealthAnswer) => {
      clearTimeout(timer);
      for (const worker of workers) worker.off('message', listen);
      resolve(answer);
    };
    const listen = (message: unknown) => {
      if (isHealthMessage(message)) finish(message.answer);
    };
    const timer = setTimeout(() => finish(NO_ANSWER), ANSWER_TIMEOUT_MS);
    for (const worker of workers) worker.on('message', listen).send(ASK_HEALTH);
  });
}

function isHealthMessage(message: unknown): message is HealthMessage {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === ASK_HEALTH;
}
