import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { engineVariables, loadComposeModel, withVariableFile, type ModelSource } from '../engine/compose-model.js';
import type { Docker } from '../engine/docker.js';
import type { ImageReference } from '../engine/image-reference.js';
import { DeployError, EXIT } from '../engine/deploy-error.js';
import type { Progress } from '../engine/progress.js';
import { findPublicProblem } from '../engine/public-address.js';
import { assertSettingsReachStack } from '../release/settings-file.js';
import { assertEdgeIsClosed } from '../release/stack-networks.js';
import { assertIsolated } from './assert-isolated.js';
import { markPreview, nameProject, type Preview } from './preview-stack.js';
import { ensureSecrets } from './preview-secrets.js';

export interface UpRequest {
  readonly number: number;
  readonly image: ImageReference;
  readonly prefix: string;
  readonly domain: string | undefined;
  readonly edgeNetwork: string;
  readonly lifetimeMs: number;
  /** The time limit for the public address to return the digest. */
  readonly edgeTimeoutMs: number;
  readonly files: readonly string[];
  readonly envFiles: readonly string[];
  readonly progress: Progress;
}

const UP_TIMEOUT_MS = 300_000;

/** Starts a preview, or deploys a new image to a running one. Its database is kept for its lifetime. */
export async function previewUp(docker: Docker, request: UpRequest): Promise<Preview> {
  const { number, image, prefix, progress, edgeNetwork, lifetimeMs } = request;
  const project = nameProject(prefix, number);
  assertSettingsReachStack(request);
  const domain = parseDomain(request.domain ?? (await readDomain(request.envFiles)));
  const address = new URL(`https://pr-${number}.${domain}`);
  const expires = new Date(Date.now() + lifetimeMs);
  const preview: Preview = { number, project, image: image.name, url: address.origin, expires };
  progress.step(`mark ${project}, which expires at ${expires.toISOString()}`);
  await markPreview(docker, preview);
  progress.step('generate missing secrets');
  const secretsDir = await ensureSecrets(docker, project, image.name);
  const variables = {
    ...imageVariables(image),
    API_DOMAIN: address.hostname,
    SECRETS_DIR: secretsDir,
    EDGE_NETWORK: edgeNetwork,
  };
  const source: ModelSource = { files: request.files, envFiles: request.envFiles, project, variables };
  assertIsolated(await loadComposeModel(docker, source), { project, secretsDir, edgeNetwork });
  await assertEdgeIsClosed(docker, edgeNetwork);
  progress.step('start, provision and migrate');
  await compose(docker, source, ['up', '--detach', '--wait', '--remove-orphans', '--quiet-pull']);
  progress.step('add sample rows');
  await compose(docker, source, [
    'run',
    '--rm',
    '--no-deps',
    '--quiet-pull',
    'migrate',
    'airlock',
    'db',
    'seed',
    '--if-empty',
  ]);
  progress.step('check the replica');
  await assertServes(docker, source, image);
  progress.step(`check ${preview.url}`);
  await assertReachable(preview.url, request);
  return preview;
}

function imageVariables(image: ImageReference) {
  return { API_REPOSITORY: `${image.registry}/${image.repository}`, API_IMAGE: image.name, IMAGE_DIGEST: image.digest };
}

async function compose(docker: Docker, source: ModelSource, words: readonly string[]): Promise<string> {
  return withVariableFile(source.variables, (variableFile) =>
    docker.run(
      [
        ...['compose', '--project-name', source.project],
        ...[...source.envFiles, variableFile].flatMap((file) => ['--env-file', file]),
        ...source.files.flatMap((file) => ['--file', file]),
        ...words,
      ],
      { env: engineVariables(), timeoutMs: UP_TIMEOUT_MS },
    ),
  );
}

/** Checks from inside the network, so that a failure is the replica's and not the edge's. */
async function assertServes(docker: Docker, source: ModelSource, image: ImageReference): Promise<void> {
  const answer = JSON.parse(await compose(docker, source, ['exec', '-T', 'api', 'node', '-e', ASK])) as {
    readyz: number;
    digest?: string;
  };
  if (answer.readyz === 200 && answer.digest === image.digest) return;
  throw new DeployError({
    text: `preview: readyz ${answer.readyz}, digest ${answer.digest ?? 'none'}; expected 200 and ${image.digest}`,
    fix: `see why: docker compose --project-name ${source.project} logs`,
    exitCode: EXIT.broken,
  });
}

const ASK = `
const base = 'http://127.0.0.1:' + (process.env.PORT ?? 8000);
Promise.all([fetch(base + '/readyz'), fetch(base + '/version').then((answer) => answer.json())])
  .then(([ready, { digest }]) => console.log(JSON.stringify({ readyz: ready.status, digest })));
`;

/** Checks the public address, after the replica itself. Previews have untrusted certificates by design. */
async function assertReachable(url: string, { image, edgeNetwork, edgeTimeoutMs: limitMs }: UpRequest): Promise<void> {
  const question = { url, digest: image.digest, limitMs, verifiesCertificate: false };
  const problem = await findPublicProblem(question);
  if (problem === undefined) return;
  const edge = edgeNetwork.replace(/_edge$/, '');
  throw new DeployError({
    text: `edge: the replica is ready, but ${url} is not: ${problem}; expected it to be ready with ${image.digest}`,
    fix: `check the edge and the DNS name: docker compose --project-name ${edge} logs traefik socket-proxy`,
    exitCode: EXIT.broken,
  });
}

/** The port is needed only if the edge does not listen on 443. */
function parseDomain(text: string): string {
  if (
    /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+(?::\d{1,5})?$/.test(text) &&
    URL.canParse(`https://${text}`)
  )
    return text;
  throw new DeployError({
    text: `--domain: ${JSON.stringify(text)} is not a domain; expected one such as preview.example.com`,
    fix: 'the wildcard DNS record *.preview.example.com must point to the preview host',
    exitCode: EXIT.usage,
  });
}

async function readDomain(envFiles: readonly string[]): Promise<string> {
  for (const file of envFiles.filter((one) => existsSync(one))) {
    const domain = /^PREVIEW_DOMAIN=['"]?([a-z0-9.:-]+)['"]?$/m.exec(await readFile(file, 'utf8'))?.[1];
    if (domain !== undefined) return domain;
  }
  throw new DeployError({
    text: 'PREVIEW_DOMAIN: is not set in any environment file; expected a domain such as preview.example.com',
    fix: 'add it to docker/settings/preview.env, or pass --domain preview.example.com',
    exitCode: EXIT.usage,
  });
}
