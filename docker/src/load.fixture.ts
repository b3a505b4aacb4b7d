import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { run, waitFor } from './engine.fixture.js';

const execute = promisify(execFile);
const CLIENTS = 8;
const PAUSE_MS = 20;

/** HAProxy with the rules of the edge (docker/haproxy), on `network`, which publishes no port, and on one that does. */
export class Proxy {
  readonly #image: string;

  constructor(readonly name: string) {
    this.#image = `${name}:suite`;
  }

  async setUp(folder: string, network: string): Promise<string> {
    run('docker', ['build', '--quiet', '--tag', this.#image, `${folder}/docker/haproxy`]);
    const configuration = `${folder}/docker/haproxy/haproxy.cfg:/etc/haproxy/airlock.cfg:ro`;
    const variables = ['--env=API_NAME=api', '--env=FORGET_AFTER=1s'];
    run('docker', ['network', 'create', this.name]);
    const place = [
      '--name',
      this.name,
      '--network',
      network,
      '--network',
      this.name,
      '--publish=127.0.0.1::8080',
      '--volume',
      configuration,
    ];
    run('docker', ['run', '--detach', ...place, ...variables, this.#image]);
    const address = `http://${run('docker', ['port', this.name, '8080/tcp'])}`;
    await waitFor('the proxy', async () => (await fetch(`${address}/readyz`)).ok || undefined);
    return address;
  }

  tearDown(): void {
    run('docker', ['rm', '--force', this.name]);
    run('docker', ['network', 'rm', '--force', this.name]);
    run('docker', ['image', 'rm', '--force', this.#image]);
  }
}

export interface Answers {
  readonly good: number;
  /** All responses other than 200, and failures. */
  readonly lost: readonly string[];
}

/** Sends requests to `url` from several clients, each one after the other, while `happen` runs and a second longer. */
export async function askWhile(url: string, happen: () => Promise<unknown>): Promise<Answers> {
  const lost: string[] = [];
  let [good, isOver] = [0, false];
  const ask = async () => {
    while (!isOver) {
      const answer = await fetch(url).then(
        async (response) => `${response.status} ${await response.text()}`,
        (error: unknown) => String(error),
      );
      if (answer.startsWith('200 ')) good += 1;
      else lost.push(answer);
      await sleep(PAUSE_MS);
    }
  };
  const clients = Array.from({ length: CLIENTS }, ask);
  await sleep(1000);
  await happen();
  await sleep(1000);
  isOver = true;
  await Promise.all(clients);
  return { good, lost };
}

/** `docker stop`, without blocking this process. */
export async function stopContainer(id: string): Promise<number> {
  await execute('docker', ['stop', '--timeout', '45', id]);
  return Number(run('docker', ['inspect', '--format', '{{.State.ExitCode}}', id]));
}
