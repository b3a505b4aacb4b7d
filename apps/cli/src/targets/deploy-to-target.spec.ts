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
const IMAGE = `ghcr.io/example/airlock/api@${DIGEST}`;
const SHORT = `d${'a'.repeat(12)}`;
const gcloudEnd = '--project p --region r --quiet';
const VARIABLES = `ENVIRONMENT=staging,IMAGE_DIGEST=${DIGEST}`;

/** The programs of each platform, its options, the calls that are expected, and which of them makes the image serve. */
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
    ],
    serving: 3,
  },
  alibaba: {
    options: { namespace: 'n' },
    calls: [
      'kubectl --namespace n delete job/airlock-migrate --ignore-not-found --wait',
      'kubectl --namespace n apply --filename -',
      'kubectl --namespace n wait job/airlock-migrate --for=condition=complete --timeout=300s',
      'kubectl --namespace n apply --filename -',
      'kubectl --namespace n rollout status deployment/airlock-api --timeout=300s',
    ],
    serving: 4,
    undo: ['kubectl --namespace n rollout undo deployment/airlock-api'],
  },
};

let folder: string;
let served: string | undefined = EARLIER;
const server = createServer((request, response) => {
  response.statusCode = request.url === '/version' && served ? 200 : 503;
  response.end(JSON.stringify({ name: 'airlock-api', digest: served }));
});
let url: string;

beforeAll(async () => {
  // The calls name files of the repository.
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
  it('makes the calls in order, and is judged by /version', async () => {
    await withFakes({ serving }, async (deploy, called) => {
      const result = await deploy({ target, options });
      expect(result).toEqual({ target, env: 'staging', digest: DIGEST, previousDigest: EARLIER, url, ok: true });
      expect(await called()).toEqual(calls);
    });
  });

  it('is not satisfied by exit codes of 0 while /version shows another digest', async () => {
    await withFakes({ serving: -1 }, async (deploy, called, said) => {
      const result = await deploy({ target, options });
      expect(result).toMatchObject({ previousDigest: EARLIER, ok: false });
      expect(await called()).toEqual([...calls, ...undo]);
      expect(said()).toContain(`${url}/version: does not show ${DIGEST}`);
    });
  });

  it.each(calls.map((call, index) => [call.split(' ').slice(0, 5).join(' '), index] as const))(
    'calls nothing more after %s failed',
    async (_call, failing) => {
      await withFakes({ serving, failing }, async (deploy, called, said) => {
        expect(await deploy({ target, options })).toMatchObject({ ok: false });
        expect(await called()).toEqual([...calls.slice(0, failing + 1), ...undo]);
        expect(said()).toContain('exit 9; nothing after it was called');
      });
    },
  );

  it('names every option that is missing or unknown before it calls anything', async () => {
    await withFakes({ serving }, async (deploy, called) => {
      const expected = Object.keys(options).map((name) => `--option ${name}: is missing; expected `);
      const refused = await deploy({ target, options: { colour: 'blue' } }).catch((error: Error) => error.message);
      for (const text of [...expected, '--option colour: is unknown']) expect(refused).toContain(text);
      expect(await called()).toEqual([]);
    });
  });
});

describe('railway', () => {
  it('tells railway.ts the image and the digest by variables', async () => {
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
  it('hands kubectl manifests with nothing left to fill in', async () => {
    await withFakes({ serving: 4 }, async (deploy) => {
      await deploy({ target: 'alibaba', options: { namespace: 'n' } });
      const manifests = await readFile(join(folder, 'input'), 'utf8');
      expect(manifests).toContain(`image: ${IMAGE}`);
      expect(manifests).toContain(`value: '${DIGEST}'`);
      expect(manifests.replace(/^#.*$/gm, '')).not.toMatch(/\$[A-Z]/);
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
    ['an image by tag', { image: 'ghcr.io/example/api:latest' }, 'is not fixed; expected registry/repository@sha256:'],
    ['a URL with a path', { url: 'https://x.example.com/api' }, 'is no origin; expected https://host'],
  ])('refuses %s', async (_case, changed, problem) => {
    await withFakes({ serving: 0 }, async (deploy, called) => {
      await expect(deploy({ target: 'fly', options: { app: 'a' }, ...changed })).rejects.toThrow(problem);
      expect(await called()).toEqual([]);
    });
  });

  it('knows no previous digest where nothing serves yet', async () => {
    await withFakes({ serving: 0, before: undefined }, async (deploy) => {
      expect(await deploy({ target: 'railway', options: {} })).toMatchObject({ previousDigest: null, ok: true });
    });
  });

  it('says which program is not installed', async () => {
    await withFakes({ serving: 0, programs: [] }, async (deploy) => {
      await expect(deploy({ target: 'fly', options: { app: 'a' } })).rejects.toThrow(
        'flyctl: is not installed; expected the command-line tool of the platform',
      );
    });
  });
});

type Deploy = (deploy: Pick<HostedDeploy, 'target' | 'options'> & Partial<HostedDeploy>) => Promise<TargetResult>;

/** Fakes of the platforms' programs that note each call; the one numbered `serving` makes /version show the image. */
async function withFakes(
  fake: { serving: number; failing?: number; before?: string | undefined; programs?: string[] },
  check: (deploy: Deploy, called: () => Promise<string[]>, said: () => string) => Promise<void>,
): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'airlock-target-'));
  served = 'before' in fake ? fake.before : EARLIER;
  const lines: string[] = [];
  try {
    await writeFile(join(folder, 'calls'), '');
    for (const name of fake.programs ?? ['flyctl', 'railway', 'gcloud', 'kubectl', 'docker'])
      await writeFake(name, fake.failing);
    const called = async () => (await readFile(join(folder, 'calls'), 'utf8')).split('\n').filter(Boolean);
    const deploy: Deploy = (changed) => {
      const onProgress = (line: string) => lines.push(line);
      const stop = watchCalls(called, fake);
      const request = {
        environment: 'staging',
        image: IMAGE,
        url,
        waitMs: 1_500,
        env: { PATH: `${folder}:/usr/bin:/bin` },
        onProgress,
      };
      return deployToTarget({ ...request, ...changed }).finally(stop);
    };
    await check(deploy, called, () => lines.join('\n'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function watchCalls(
  called: () => Promise<string[]>,
  { serving, failing }: { serving: number; failing?: number },
): () => void {
  const timer = setInterval(() => {
    void called().then((calls) => {
      if (serving >= 0 && calls.length > serving && failing === undefined) served = DIGEST;
    });
  }, 20);
  return () => clearInterval(timer);
}

async function writeFake(name: string, failing = -1): Promise<void> {
  const text = `#!/bin/bash
printf '%s\\n' "${name} $*" >>"${folder}/calls"
env >"${folder}/environment"
cat >>"${folder}/input"
[[ $(wc -l <"${folder}/calls") -ne ${failing + 1} ]] || exit 9
`;
  await writeFile(join(folder, name), text);
  await chmod(join(folder, name), 0o755);
}
