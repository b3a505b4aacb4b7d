import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deployToTarget, targets, type HostedDeploy } from './deploy-to-target.js';
import type { TargetResult } from './target.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const EARLIER = `sha256:${'b'.repeat(64)}`;
const OTHER = `sha256:${'c'.repeat(64)}`;
const imageOf = (digest: string) => `ghcr.io/example/airlock/api@${digest}`;
const IMAGE = `ghcr.io/example/airlock/api@${DIGEST}`;
const SHORT = `d${'a'.repeat(12)}`;
const gcloudEnd = '--project p --region r --quiet';
const VARIABLES = `ENVIRONMENT=staging,IMAGE_DIGEST=${DIGEST}`;

const READ_IMAGE =
  'kubectl --namespace n get deployment/airlock-api --ignore-not-found --output=jsonpath={.spec.template.spec.containers[0].image}';
const READ_REVISIONS =
  'kubectl --namespace n get replicasets --selector=app=airlock-api --output=jsonpath={range .items[*]}{.metadata.annotations.deployment\\.kubernetes\\.io/revision} {.spec.template.spec.containers[0].image}{"\\n"}{end}';
const READ_JOB =
  'kubectl --namespace n get job/airlock-migrate --output=jsonpath={.status.conditions[?(@.status=="True")].type}';

/** For each platform: its programs and options, the expected calls, and the call that makes the image serve. */
const cases: Record<string, { options: Record<string, string>; calls: string[]; serving: number; undo?: string[] }> = {
  fly: {
    options: { app: 'airlock-staging' },
    calls: [
      `flyctl deploy --app airlock-staging --image ${IMAGE} --config docker/deploy/fly/fly.toml --strategy bluegreen --yes --env ENVIRONMENT=staging --env IMAGE_DIGEST=${DIGEST}`,
    ],
    serving: 0,
  },
  railway: { options: {}, calls: ['railway config apply --yes'], serving: 0 },
  'cloud-run': {
    options: { service: 's', project: 'p', region: 'r' },
    calls: [
      `gcloud run jobs update s-migrate --image ${IMAGE} --update-env-vars ${VARIABLES} ${gcloudEnd}`,
      `gcloud run jobs execute s-migrate --wait ${gcloudEnd}`,
      `gcloud run deploy s --image ${IMAGE} --update-env-vars ${VARIABLES} --no-traffic --tag ${SHORT} ${gcloudEnd}`,
      `gcloud run services update-traffic s --to-tags ${SHORT}=100 ${gcloudEnd}`,
      `gcloud run services update s-worker --image ${IMAGE} --update-env-vars ${VARIABLES} ${gcloudEnd}`,
    ],
    serving: 3,
  },
  alibaba: {
    options: { namespace: 'n' },
    calls: [
      READ_IMAGE,
      'kubectl --namespace n delete job/airlock-migrate --ignore-not-found --wait',
      'kubectl --namespace n apply --filename -',
      READ_JOB,
      'kubectl --namespace n apply --filename -',
      'kubectl --namespace n rollout status deployment/airlock-api --timeout=300s',
      'kubectl --namespace n apply --filename -',
      'kubectl --namespace n rollout status deployment/airlock-worker --timeout=300s',
      'kubectl --namespace n apply --filename -',
      'kubectl --namespace n rollout status deployment/airlock-callback --timeout=300s',
    ],
    serving: 5,
    undo: [READ_IMAGE, READ_REVISIONS, 'kubectl --namespace n rollout undo deployment/airlock-api --to-revision=8'],
  },
};

let folder: string;
let readServed: () => string | undefined = () => EARLIER;
const server = createServer((request, response) => {
  const served = readServed();
  response.statusCode = request.url === '/version' && served ? 200 : 503;
  response.end(JSON.stringify({ name: 'airlock-api', digest: served }));
});
let url: string;

beforeAll(async () => {
  // The calls refer to files of the repository.
  process.chdir(resolve(import.meta.dirname, '../../../..'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((done) => server.close(done)));

describe('the targets', () => {
  it('are all covered here', () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(targets).sort());
  });
});

describe.each(Object.entries(cases))('%s', (target, { options, calls, serving, undo = [] }) => {
  it('makes the calls in order, and /version decides the result', async () => {
    await withFakes({ serving }, async (deploy, called) => {
      const result = await deploy({ target, options });
      expect(result).toEqual({ target, env: 'staging', digest: DIGEST, previousDigest: EARLIER, url, ok: true });
      expect(await called()).toEqual(calls);
    });
  });

  it('fails if every call exits with 0 but /version returns another digest', async () => {
    await withFakes({ serving: -1 }, async (deploy, called, said) => {
      const result = await deploy({ target, options });
      expect(result).toMatchObject({ previousDigest: EARLIER, ok: false });
      expect(await called()).toEqual([...calls, ...undo]);
      expect(said()).toContain(`${url}/version: did not return ${DIGEST} in time`);
    });
  });

  // A polling call is repeated; its tests are below.
  const ending = calls.map((call, index) => [call.split(' ').slice(0, 5).join(' '), index] as const);
  it.each(ending.filter(([, index]) => calls[index] !== READ_JOB))(
    'calls nothing more after %s failed',
    async (_call, failing) => {
      await withFakes({ serving, failing }, async (deploy, called, said) => {
        expect(await deploy({ target, options })).toMatchObject({ ok: false });
        const rolledOut = failing >= serving;
        const after = undo.length === 0 || failing === 0 ? [] : rolledOut ? undo : [READ_IMAGE];
        expect(await called()).toEqual([...calls.slice(0, failing + 1), ...after]);
        expect(said()).toContain('exit 9; the calls after it were skipped');
      });
    },
  );

  it('reports every missing or unknown option before it calls anything', async () => {
    await withFakes({ serving }, async (deploy, called) => {
      const expected = Object.keys(options).map((name) => `--option ${name}: is missing; expected `);
      const refused = await deploy({ target, options: { colour: 'blue' } }).catch((error: Error) => error.message);
      for (const text of [...expected, '--option colour: is unknown']) expect(refused).toContain(text);
      expect(await called()).toEqual([]);
    });
  });
});

describe('the option callback', () => {
  const callCallback: Record<string, string[]> = {
    fly: [
      `flyctl deploy --app airlock-staging-callback --image ${IMAGE} --config docker/deploy/fly/callback.toml --strategy bluegreen --yes --env ENVIRONMENT=staging --env IMAGE_DIGEST=${DIGEST}`,
    ],
    railway: [],
    'cloud-run': [`gcloud run services update s-callback --image ${IMAGE} --update-env-vars ${VARIABLES} ${gcloudEnd}`],
    alibaba: [],
  };
  const replicas = async (target: string, options: Record<string, string>) => {
    let found: (string | undefined)[] = [];
    await withFakes({ serving: cases[target]?.serving ?? 0 }, async (deploy) => {
      await deploy({ target, options });
      const read = (name: string, pattern: RegExp) => pattern.exec(readFileSync(join(folder, name), 'utf8'))?.[1];
      const manifest = /name: airlock-callback\nspec:\n {2}replicas: (.+)/;
      found = [read('input', manifest), read('environment', /^CALLBACK_REPLICAS=(.+)$/m)];
    });
    return found;
  };

  it.each(Object.entries(cases))('deploys the callback last to %s', async (target, { options, calls, serving }) => {
    await withFakes({ serving }, async (deploy, called) => {
      expect(await deploy({ target, options: { ...options, callback: 'on' } })).toMatchObject({ ok: true });
      expect(await called()).toEqual([...calls, ...(callCallback[target] ?? [])]);
    });
  });

  it.each([
    ['alibaba', { namespace: 'n' }, 0],
    ['railway', {}, 1],
  ] as const)('sets its replicas on %s, none by default', async (target, options, place) => {
    expect((await replicas(target, options))[place]).toBe('0');
    expect((await replicas(target, { ...options, callback: 'off' }))[place]).toBe('0');
    expect((await replicas(target, { ...options, callback: 'on' }))[place]).toBe('1');
  });

  it('is on or off', async () => {
    await withFakes({ serving: 0 }, async (deploy, called) => {
      await expect(deploy({ target: 'fly', options: { app: 'a', callback: '2' } })).rejects.toThrow(
        '--option callback: is "2"; expected on or off',
      );
      expect(await called()).toEqual([]);
    });
  });
});

describe('railway', () => {
  it('passes the image and the digest to railway.ts in variables', async () => {
    await withFakes({ serving: 0 }, async (deploy) => {
      await deploy({ target: 'railway', options: {} });
      const variables = await readFile(join(folder, 'environment'), 'utf8');
      expect(variables.split('\n')).toEqual(
        expect.arrayContaining([`API_IMAGE=${IMAGE}`, `IMAGE_DIGEST=${DIGEST}`, 'ENVIRONMENT=staging']),
      );
    });
  });
});

describe('alibaba', () => {
  it('passes complete manifests to kubectl', async () => {
    await withFakes({ serving: 5 }, async (deploy) => {
      await deploy({ target: 'alibaba', options: { namespace: 'n' } });
      const manifests = await readFile(join(folder, 'input'), 'utf8');
      expect(manifests).toContain(`image: ${IMAGE}`);
      expect(manifests).toContain(`value: '${DIGEST}'`);
      expect(manifests.replace(/^#.*$/gm, '')).not.toMatch(/\$[A-Z]/);
    });
  });
});

describe('a failed deploy to Kubernetes', () => {
  const target = 'alibaba';
  const options = { namespace: 'n' };
  const isUndo = (call: string) => call.includes('rollout undo');

  it('does not change the running release if the migration job fails, and reports the failure at once', async () => {
    await withFakes({ serving: -1, job: 'FailureTarget Failed' }, async (deploy, called, said) => {
      expect(await deploy({ target, options })).toMatchObject({ ok: false });
      const calls = await called();
      expect(calls.filter((call) => call === READ_JOB)).toHaveLength(1);
      expect(calls.slice(-3)).toEqual([
        READ_JOB,
        'kubectl --namespace n logs job/airlock-migrate --tail=20',
        READ_IMAGE,
      ]);
      expect(said()).toContain('kubectl: reports FailureTarget Failed; the calls after it were skipped');
      expect(said()).toContain('this deploy did not replace the release');
    });
  });

  it('rolls back to the release that served, not to newer ones that did not', async () => {
    const revisions = `7 ${imageOf(EARLIER)}\n12 ${imageOf(OTHER)}\n11 ${imageOf(EARLIER)}\n13 ${IMAGE}`;
    await withFakes({ serving: -1, runs: imageOf(OTHER), revisions }, async (deploy, called) => {
      expect(await deploy({ target, options })).toMatchObject({ ok: false, previousDigest: EARLIER });
      expect((await called()).filter(isUndo)).toEqual([
        'kubectl --namespace n rollout undo deployment/airlock-api --to-revision=11',
      ]);
    });
  });

  it.each([
    ['already runs this image', { runs: IMAGE }, 'this deploy did not replace the release'],
    ['already serves this digest', { before: DIGEST }, 'this deploy did not replace the release'],
    ['served nothing before', { before: undefined }, 'has no release of the previous digest'],
    ['no longer has the previous release', { revisions: `9 ${IMAGE}` }, `has no release of ${EARLIER}`],
  ])('undoes nothing if the platform %s', async (_case, scene, says) => {
    await withFakes({ serving: -1, failing: 5, ...scene }, async (deploy, called, said) => {
      expect(await deploy({ target, options })).toMatchObject({ ok: false });
      expect((await called()).filter(isUndo)).toEqual([]);
      expect(said()).toContain(says);
    });
  });
});

describe('the option registry', () => {
  it('copies the image with its digest first and deploys the copy', async () => {
    await withFakes({ serving: 1 }, async (deploy, called) => {
      await deploy({ target: 'fly', options: { app: 'a', registry: 'registry.fly.io/a' } });
      const [copy, call] = await called();
      expect(copy).toBe(
        `docker buildx imagetools create --prefer-index=false --tag registry.fly.io/a:${SHORT} ${IMAGE}`,
      );
      expect(call).toContain(`--image registry.fly.io/a@${DIGEST} `);
    });
  });
});

describe('deployToTarget', () => {
  it.each([
    [
      'a target it does not know',
      { target: 'heroku' },
      '--target: heroku is unknown; expected swarm, fly, railway, cloud-run, alibaba',
    ],
    [
      'an image by tag',
      { image: 'ghcr.io/example/api:latest' },
      'does not name an image by digest; expected registry/repository@sha256:',
    ],
    ['a URL with a path', { url: 'https://x.example.com/api' }, 'is not an origin; expected https://host'],
  ])('refuses %s', async (_case, changed, problem) => {
    await withFakes({ serving: 0 }, async (deploy, called) => {
      await expect(deploy({ target: 'fly', options: { app: 'a' }, ...changed })).rejects.toThrow(problem);
      expect(await called()).toEqual([]);
    });
  });

  it('returns no previous digest if nothing serves yet', async () => {
    await withFakes({ serving: 0, before: undefined }, async (deploy) => {
      expect(await deploy({ target: 'railway', options: {} })).toMatchObject({ previousDigest: null, ok: true });
    });
  });

  it('names the program that is not installed', async () => {
    await withFakes({ serving: 0, programs: [] }, async (deploy) => {
      await expect(deploy({ target: 'fly', options: { app: 'a' } })).rejects.toThrow(
        'flyctl: is not installed; expected the command-line tool of the platform',
      );
    });
  });
});

type Deploy = (deploy: Pick<HostedDeploy, 'target' | 'options'> & Partial<HostedDeploy>) => Promise<TargetResult>;

interface Fake {
  /** The number of the call that makes /version show the image. */
  readonly serving: number;
  /** The number of the call that fails. */
  readonly failing?: number;
  /** The digest that /version returns before the deploy. */
  readonly before?: string | undefined;
  readonly programs?: string[];
  /** The image of the Kubernetes deployment before the deploy, the final condition of its job, and its revisions. */
  readonly runs?: string;
  readonly job?: string;
  readonly revisions?: string;
}

/** Fakes of the platforms' programs that record each call. */
async function withFakes(
  fake: Fake,
  check: (deploy: Deploy, called: () => Promise<string[]>, said: () => string) => Promise<void>,
): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'airlock-target-'));
  const lines: string[] = [];
  try {
    await writeFile(join(folder, 'calls'), '');
    await writeFile(join(folder, 'image'), fake.runs ?? imageOf(EARLIER));
    await writeFile(join(folder, 'job'), fake.job ?? 'SuccessCriteriaMet Complete');
    await writeFile(join(folder, 'revisions'), fake.revisions ?? `8 ${imageOf(EARLIER)}\n9 ${IMAGE}`);
    for (const name of fake.programs ?? ['flyctl', 'railway', 'gcloud', 'kubectl', 'docker'])
      await writeFake(name, fake.failing);
    const called = () => Promise.resolve(readCalls());
    readServed = () => (serves(fake) ? DIGEST : 'before' in fake ? fake.before : EARLIER);
    const deploy: Deploy = (changed) => {
      const onProgress = (line: string) => lines.push(line);
      const request = {
        environment: 'staging',
        image: IMAGE,
        url,
        waitMs: 500,
        env: { PATH: `${folder}:/usr/bin:/bin` },
        onProgress,
      };
      return deployToTarget({ ...request, ...changed });
    };
    await check(deploy, called, () => lines.join('\n'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const readCalls = () => readFileSync(join(folder, 'calls'), 'utf8').split('\n').filter(Boolean);

/** Like a platform: the image serves from the call that deploys it. */
const serves = ({ serving, failing }: Fake) => serving >= 0 && failing === undefined && readCalls().length > serving;

async function writeFake(name: string, failing = -1): Promise<void> {
  const text = `#!/bin/bash
printf '%s\\n' "${name} $*" >>"${folder}/calls"
env >"${folder}/environment"
given=$(tee --append "${folder}/input")
[[ $(wc -l <"${folder}/calls") -ne ${failing + 1} ]] || exit 9
case "$*" in
  *'get deployment/'*) cat "${folder}/image" ;;
  *'get job/'*) cat "${folder}/job" ;;
  *'get replicasets'*) cat "${folder}/revisions" ;;
  *apply*) [[ $given != *'kind: Deployment'* ]] || sed -n 's/^ *image: //p' <<<"$given" >"${folder}/image" ;;
esac
`;
  await writeFile(join(folder, name), text);
  await chmod(join(folder, name), 0o755);
}
