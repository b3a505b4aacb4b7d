import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createJudge, type Judge } from './command-line.js';
import { withScript, type FakeOutput } from './fake-commands.js';
import { listFiles, readText, root } from './repository.js';

const scripts = listFiles(/^\.github\/scripts\/.*\.sh$/);
const script = (name: string) => ({ path: join(root, '.github/scripts', `${name}.sh`) });
const IMAGE = 'ghcr.io/example/airlock/api';
const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;

describe.each(scripts)('%s', (path) => {
  it('is bash that parses', () => {
    expect(() => execFileSync('bash', ['-n', join(root, path)])).not.toThrow();
  });

  it('states its purpose at its top', () => {
    expect(readText(path).split('\n')[1]).toMatch(/^# [A-Z]/);
  });

  it('has cases in this spec', () => {
    expect(
      path.endsWith('lib.sh') ||
        readText('checks/src/workflows-scripts.spec.ts').includes(`script('${path.slice(16, -3)}')`),
    ).toBe(true);
  });
});

describe('name-image.sh', () => {
  const name = (answers: Record<string, FakeOutput[]>) => ({
    ...script('name-image'),
    args: ['preview'],
    cwd: root,
    answers,
  });

  it('writes the repository in lower case, a time in the format of BUILD_TIME and the base image by digest', async () => {
    const docker: FakeOutput[] = [
      ["*'inspect node:'*", `"${DIGEST}"`],
      ["*'inspect postgres:'*", `"${OTHER}"`],
    ];
    await withScript(name({ docker }), ({ outputs }) => {
      expect(outputs['base']).toMatch(/^node:\d+\.\d+\.\d+-[a-z-]+@sha256:[0-9a-f]{64}$/);
      expect(outputs['postgres']).toBe(`postgres:18-trixie@${OTHER}`);
      expect(outputs['image']).toBe('ghcr.io/example/airlock/preview');
      expect(outputs['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    });
  });
});

describe('name-image.sh without a base image', () => {
  it('builds only on an image with a digest', async () => {
    const answers: Record<string, FakeOutput[]> = { docker: [['*', 'ERROR: node: not found', 1]] };
    await withScript({ ...script('name-image'), args: ['api'], cwd: root, answers }, ({ status, stderr, outputs }) => {
      expect({ status, outputs }).toEqual({ status: 1, outputs: {} });
      expect(stderr).toContain('is not pinned; expected an image by digest');
    });
  });
});

describe('find-image.sh', () => {
  const BASES = ['node', 'postgres'].map((name) => [`*'inspect ${name}:'*`, `"${OTHER}"`] as const);
  const COMMIT = '0'.repeat(40);
  const inspect = `*'inspect ${IMAGE}:${COMMIT}'*`;
  const find = (answers: Record<string, FakeOutput[]>, env = { COMMIT }) => ({
    ...script('find-image'),
    env,
    cwd: root,
    answers: { ...answers, docker: [...BASES, ...(answers['docker'] ?? [])] },
  });

  it('reuses the image that an earlier run built and signed', async () => {
    const answers = { docker: [[inspect, `"${DIGEST}"`] as const], gh: [['attestation*', 'ok'] as const] };
    await withScript(find(answers), ({ outputs, calls }) => {
      expect(outputs).toMatchObject({ image: IMAGE, digest: DIGEST });
      expect(calls.at(-1)).toBe(
        `gh attestation verify oci://${IMAGE}@${DIGEST} --repo Example/Airlock --signer-workflow Example/Airlock/.github/workflows/deploy-staging.yml --source-ref refs/heads/main`,
      );
    });
  });

  it.each<[string, Record<string, FakeOutput[]>]>([
    ['there is none', { docker: [[inspect, `ERROR: ${IMAGE}:${COMMIT}: not found`, 1]] }],
    ['it is not signed', { docker: [[inspect, `"${DIGEST}"`]], gh: [['*', 'no attestations found', 1]] }],
  ])('requests a build when %s', async (_case, answers) => {
    await withScript(find(answers), ({ status, outputs }) => {
      expect(status).toBe(0);
      expect(outputs['digest']).toBe('');
    });
  });

  it('does not mistake a failing registry for an empty one', async () => {
    const answers: Record<string, FakeOutput[]> = { docker: [[inspect, 'ERROR: dial tcp: connection refused', 1]] };
    await withScript(find(answers), ({ status, stderr }) => {
      expect(status).toBe(1);
      expect(stderr).toContain('the registry failed: ERROR: dial tcp');
    });
  });

  it('refuses a value that is not a commit', async () => {
    await withScript(find({}, { COMMIT: 'main' }), ({ status, stderr }) => {
      expect(status).toBe(1);
      expect(stderr).toContain('COMMIT: "main" is not a commit');
    });
  });
});

describe('confirm.sh', () => {
  it.each([
    ['PROMOTE', 0],
    ['promote', 1],
    ['PROMOTE ', 1],
    ['', 1],
  ])('typed «%s»: exit %d', async (CONFIRM, expected) => {
    await withScript({ ...script('confirm'), args: ['PROMOTE'], env: { CONFIRM } }, ({ status, stderr }) => {
      expect(status).toBe(expected);
      expect(stderr).toBe(
        expected ? `confirm: got "${CONFIRM}"; expected PROMOTE\nStart the workflow again and type PROMOTE.\n` : '',
      );
    });
  });
});

describe('verify-release.sh', () => {
  let repository: string;
  let released: string;
  let aside: string;
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8', env: gitIdentity }).trim();

  beforeAll(() => {
    repository = mkdtempSync(join(tmpdir(), 'airlock-release-'));
    git('init', '-q', '-b', 'main');
    git('commit', '-q', '--allow-empty', '-m', 'one');
    released = git('rev-parse', 'HEAD');
    git('tag', '-m', 'annotated', 'v1.2.3');
    git('update-ref', 'refs/remotes/origin/main', 'HEAD');
    git('commit', '-q', '--allow-empty', '-m', 'aside');
    aside = git('rev-parse', 'HEAD');
    git('tag', 'v2.0.0');
  });
  afterAll(() => rmSync(repository, { recursive: true }));

  const image = (revision: string) =>
    `{\n  "config": {\n    "Labels": {\n      "org.opencontainers.image.revision": "${revision}"\n    }\n  }\n}`;
  const good = (): Record<string, FakeOutput[]> => ({
    docker: [
      [`*'${IMAGE}:${released}'*`, `"${DIGEST}"`],
      [`*'${IMAGE}@${DIGEST}'*`, image(released)],
    ],
    gh: [
      ['attestation*', 'ok'],
      ["api*'environment=staging'*", `${OTHER} ${released}\n${DIGEST} ${released}`],
    ],
  });
  const verify = (env: Record<string, string>, answers = good()) => ({
    ...script('verify-release'),
    cwd: repository,
    env,
    answers,
  });

  it('passes the digest that staging served, by an annotated tag on main', async () => {
    await withScript(verify({ RELEASE: 'v1.2.3', DIGEST }), ({ status, outputs, calls }) => {
      expect({ status, outputs }).toEqual({ status: 0, outputs: { image: IMAGE, digest: DIGEST, commit: released } });
      expect(calls.at(-1)).toContain(`deployments?task=airlock&environment=staging&per_page=100&sha=${released}`);
    });
  });

  it.each(['1.2.3', 'v1.2', 'v1.2.3-rc.1', 'v01.2.3', 'latest', 'v1.2.3;id', ''])(
    'refuses the release «%s»',
    async (RELEASE) => {
      await withScript(verify({ RELEASE }), ({ status, stderr, calls }) => {
        expect(status).toBe(1);
        expect(stderr).toContain(`release: "${RELEASE}" is not a version; expected vX.Y.Z`);
        expect(calls).toEqual([]);
      });
    },
  );

  it.each([
    ['a digest that is none', { RELEASE: 'v1.2.3', DIGEST: 'sha256:abc' }, 'is not a digest'],
    ['a tag that is not there', { RELEASE: 'v9.9.9' }, 'v9.9.9: no such tag'],
    ['a commit that is not on main', { RELEASE: 'v2.0.0' }, 'is not on main'],
    [
      'another digest than the release has',
      { RELEASE: 'v1.2.3', DIGEST: OTHER },
      `but the image of v1.2.3 is ${DIGEST}`,
    ],
  ])('refuses %s', async (_case, env, problem) => {
    await withScript(verify(env), ({ status, stderr, outputs }) => {
      expect(status).toBe(1);
      expect(stderr).toContain(problem);
      expect(outputs).toEqual({});
    });
  });

  it.each<[string, string, (answers: Record<string, FakeOutput[]>) => Record<string, FakeOutput[]>]>([
    ['an image that is not there', 'no image exists', (a) => ({ ...a, docker: [['*', 'ERROR: x: not found', 1]] })],
    [
      'an image of another commit',
      'was built from',
      (a) => ({ ...a, docker: [a['docker']![0]!, ['*', image(aside)]] }),
    ],
    ['an image without the label', 'was built from ""', (a) => ({ ...a, docker: [a['docker']![0]!, ['*', '{}']] })],
    [
      'an image without signature',
      'is not signed by deploy-staging on main',
      (a) => ({ ...a, gh: [['attestation*', 'none', 1]] }),
    ],
    [
      'a digest that staging never served',
      'staging has never served it',
      (a) => ({
        ...a,
        gh: [
          ['attestation*', ''],
          ['api*', `${OTHER} ${released}`],
        ],
      }),
    ],
    [
      'a record that cannot be read',
      'the record of staging cannot be read',
      (a) => ({
        ...a,
        gh: [
          ['attestation*', ''],
          ['api*', 'HTTP 502', 1],
        ],
      }),
    ],
  ])('refuses %s', async (_case, problem, change) => {
    await withScript(verify({ RELEASE: 'v1.2.3' }, change(good())), ({ status, stderr, outputs }) => {
      expect(status).toBe(1);
      expect(stderr).toContain(problem);
      expect(outputs).toEqual({});
    });
  });
});

describe('find-earlier.sh', () => {
  const served = `${DIGEST} ${'1'.repeat(40)}\n${DIGEST} ${'1'.repeat(40)}\n${OTHER} ${'2'.repeat(40)}`;
  const earlier = (digest: string, answer = served) => ({
    ...script('find-earlier'),
    env: { ENVIRONMENT_NAME: 'production', DIGEST: digest },
    answers: { gh: [["api*'environment=production'*", answer] as const] },
  });

  it.each([
    ['the one before the present one', '', OTHER, '2'],
    ['the one that was asked for', DIGEST, DIGEST, '1'],
  ])('chooses %s', async (_case, asked, digest, commit) => {
    await withScript(earlier(asked), ({ outputs }) => {
      expect(outputs).toEqual({ image: IMAGE, digest, commit: commit.repeat(40) });
    });
  });

  it.each([
    ['a name instead of a digest', 'latest', served, 'is not a digest'],
    ['a digest that never served there', `sha256:${'c'.repeat(64)}`, served, 'production never served'],
    ['to go back where nothing was before', '', `${DIGEST} ${'1'.repeat(40)}`, 'has served one digest only'],
  ])('refuses %s', async (_case, asked, answer, problem) => {
    await withScript(earlier(asked, answer), ({ status, stderr }) => {
      expect(status).toBe(1);
      expect(stderr).toContain(problem);
    });
  });
});

describe('connect.sh', () => {
  const hostKey = 'AAAAC3NzaC1lZDI1NTE5AAAAIHN0dWJzdHVic3R1YnN0dWJzdHVic3R1YnN0dWJzdHVic3R1';
  const env = {
    DEPLOY_HOST: 'deploy@swarm.example.com',
    DEPLOY_KNOWN_HOSTS: `swarm.example.com ssh-ed25519 ${hostKey}`,
    DEPLOY_SSH_KEY: 'PRIVATE',
  };
  const connect = (changed: Record<string, string> = {}) => ({
    ...script('connect'),
    env: { ...env, ...changed },
    answers: {
      docker: [
        ['context*', 'airlock'],
        ['version*', 'engine 28'],
      ] as FakeOutput[],
    },
  });

  it('selects the remote engine, with its host key pinned', async () => {
    await withScript(connect(), async ({ status, calls, home, stderr }) => {
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(calls.slice(0, 2)).toEqual([
        'docker context create airlock --docker host=ssh://deploy@swarm.example.com',
        'docker context use airlock',
      ]);
      expect(await home('.ssh/config')).toContain('StrictHostKeyChecking yes');
      expect(await home('.ssh/airlock')).toBe('PRIVATE\n');
    });
  });

  it.each([
    [
      'a host without a user',
      { DEPLOY_HOST: 'swarm.example.com' },
      'DEPLOY_HOST: "swarm.example.com" is not an address',
    ],
    ['a host that is an option', { DEPLOY_HOST: '-oProxyCommand=id@x' }, 'is not an address'],
    ['no key', { DEPLOY_SSH_KEY: '' }, 'DEPLOY_SSH_KEY: is empty'],
    ['a host whose key is not pinned', { DEPLOY_HOST: 'deploy@other.example.com' }, 'has no key for other.example.com'],
  ])('refuses %s', async (_case, changed, problem) => {
    await withScript(connect(changed), ({ status, stderr, calls }) => {
      expect(status).toBe(1);
      expect(stderr).toContain(problem);
      expect(stderr).not.toContain('PRIVATE');
      expect(calls).toEqual([]);
    });
  });
});

describe('record-deployment.sh', () => {
  const RESULT = JSON.stringify({
    target: 'swarm',
    env: 'staging',
    digest: DIGEST,
    previousDigest: null,
    url: 'https://x',
    ok: true,
  });
  const env = { ENVIRONMENT_NAME: 'staging', COMMIT: '1'.repeat(40), RESULT };

  it('records the result of airlock as the payload of a deployment and marks it successful', async () => {
    const answers = {
      gh: [
        ['*deployments/77/statuses*', ''],
        ['*deployments*', '77'],
      ] as FakeOutput[],
    };
    await withScript({ ...script('record-deployment'), env, answers }, ({ status, stdin, calls, summary }) => {
      expect(status).toBe(0);
      expect(JSON.parse(stdin)).toEqual({
        ref: '1'.repeat(40),
        task: 'airlock',
        environment: 'staging',
        auto_merge: false,
        required_contexts: [],
        payload: JSON.parse(RESULT) as unknown,
      });
      expect(calls).toHaveLength(2);
      expect(summary).toContain(DIGEST);
    });
  });

  it('fails when GitHub rejects the record', async () => {
    await withScript({ ...script('record-deployment'), env, answers: { gh: [['*', 'HTTP 403', 1]] } }, ({ status }) => {
      expect(status).toBe(1);
    });
  });
});

describe('ship.sh', () => {
  let judge: Judge;
  beforeAll(async () => {
    judge = await createJudge();
  });
  const JSON_RESULT = `{"target":"x","env":"staging","digest":"${DIGEST}","previousDigest":null,"url":"https://x","ok":true}`;
  const env = {
    ENVIRONMENT_NAME: 'staging',
    TARGET: 'swarm',
    TARGET_OPTIONS: '',
    URL: 'https://x',
    IMAGE,
    DIGEST,
    RELEASE: 'v1.2.3',
    NUMBER: '42',
    PREVIEW_DOMAIN: 'preview.example.com',
  };
  const ship = (
    changed: Record<string, string>,
    answers: Record<string, FakeOutput[]> = { npx: [['*', JSON_RESULT]] },
  ) => ({
    ...script('ship'),
    env: { ...env, ...changed },
    answers,
  });
  const hosted = { TARGET: 'fly', TARGET_OPTIONS: 'app=airlock-staging region=fra' };
  const flags = '--url https://x --target fly --option app=airlock-staging --option region=fra';

  it.each([
    ['deploy', {}, `deploy staging ${IMAGE}@${DIGEST} --url https://x --wait 10m --json`],
    ['deploy', hosted, `deploy staging ${IMAGE}@${DIGEST} ${flags} --json`],
    ['promote', { ...hosted, ENVIRONMENT_NAME: 'production' }, `deploy production ${IMAGE}@${DIGEST} ${flags} --json`],
    ['rollback', {}, `rollback staging --to ${DIGEST} --url https://x --wait 10m --json`],
    ['rollback', hosted, `deploy staging ${IMAGE}@${DIGEST} ${flags} --json`],
    ['preview-up', {}, `preview up 42 ${IMAGE}@${DIGEST} --domain preview.example.com --json`],
    ['preview-down', {}, 'preview down 42 --json'],
  ])('%s on %j is airlock %s', async (COMMAND, changed, expected) => {
    await withScript(ship({ COMMAND, ...changed }), ({ status, calls, outputs }) => {
      expect({ status, calls }).toEqual({ status: 0, calls: [`npx airlock ${expected}`] });
      expect(judge(calls[0]?.split(' ').slice(1) ?? [])).toBeUndefined();
      expect(outputs['result']).toBe(JSON_RESULT);
    });
  });

  it.each([
    ['deploy', 'swarm', true],
    ['preview-up', 'swarm', true],
    ['rollback', 'swarm', false],
    ['deploy', 'fly', false],
  ])('%s on %s passes the settings of the environment on as a file: %j', async (COMMAND, TARGET, expected) => {
    await withScript(
      ship({ COMMAND, TARGET, SETTINGS: 'API_DOMAIN=a.example.com\nACME_EMAIL=a@example.com' }),
      async ({ calls, file }) => {
        expect(calls[0]?.includes('--env-file settings.env')).toBe(expected);
        expect(await file('settings.env')).toBe('API_DOMAIN=a.example.com\nACME_EMAIL=a@example.com\n');
      },
    );
  });

  it('promotes the digests in the record of staging, oldest first', async () => {
    const answers: Record<string, FakeOutput[]> = {
      gh: [["*'environment=staging'*", '{"id":"newer"}\n{"id":"older"}']],
      npx: [['*', JSON_RESULT]],
    };
    await withScript(ship({ COMMAND: 'promote' }, answers), async ({ status, calls, file }) => {
      expect(status).toBe(0);
      expect(calls.at(-1)).toBe(
        `npx airlock promote staging production --record staging.jsonl --digest ${DIGEST} --release v1.2.3 --confirm PROMOTE --url https://x --wait 10m --json`,
      );
      expect(judge(calls.at(-1)?.split(' ').slice(1) ?? [])).toBeUndefined();
      expect(await file('staging.jsonl')).toBe('{"id":"older"}\n{"id":"newer"}\n');
    });
  });

  it('promotes nothing when the record cannot be read', async () => {
    const answers: Record<string, FakeOutput[]> = { gh: [['*', 'HTTP 502', 1]] };
    await withScript(ship({ COMMAND: 'promote' }, answers), ({ status, calls }) => {
      expect({ status, calls: calls.length }).toEqual({ status: 1, calls: 1 });
    });
  });

  it('reaps the previews of pull requests that are not open', async () => {
    const answers: Record<string, FakeOutput[]> = { gh: [['pr*', '7,9']], npx: [['*', '[]']] };
    await withScript(ship({ COMMAND: 'preview-reap' }, answers), ({ calls }) => {
      expect(calls.at(-1)).toBe('npx airlock preview reap --open 7,9 --json');
      expect(judge('airlock preview reap --open 7,9 --json'.split(' '))).toBeUndefined();
    });
  });

  it('ends with the exit code of airlock and outputs nothing', async () => {
    await withScript(ship({ COMMAND: 'deploy' }, { npx: [['*', 'rolled back', 4]] }), ({ status, outputs, stderr }) => {
      expect({ status, outputs }).toEqual({ status: 4, outputs: {} });
      expect(stderr).toContain('rolled back');
    });
  });

  it('ships nothing that a smoke suite could not reach', async () => {
    await withScript(ship({ COMMAND: 'deploy', URL: '' }), ({ status, stderr, calls }) => {
      expect({ status, calls }).toEqual({ status: 1, calls: [] });
      expect(stderr).toContain('URL: is empty; expected the public origin of staging');
    });
  });

  it('refuses an unknown command', async () => {
    await withScript(ship({ COMMAND: 'destroy' }), ({ status, calls }) => {
      expect({ status, calls }).toEqual({ status: 1, calls: [] });
    });
  });
});

describe('tag-image.sh', () => {
  const env = { IMAGE, DIGEST, TAGS: 'v1.2.3 latest' };

  it('copies the manifest unchanged and compares the digest of each tag', async () => {
    const answers: Record<string, FakeOutput[]> = {
      docker: [
        ['*create*', ''],
        ['*inspect*', `"${DIGEST}"`],
      ],
    };
    await withScript({ ...script('tag-image'), env, answers }, ({ status, calls }) => {
      expect(status).toBe(0);
      expect(calls.filter((call) => call.includes('create'))).toEqual(
        ['v1.2.3', 'latest'].map(
          (tag) => `docker buildx imagetools create --prefer-index=false --tag ${IMAGE}:${tag} ${IMAGE}@${DIGEST}`,
        ),
      );
    });
  });

  it.each([
    ['the tag then shows another digest', env, `"${OTHER}"`, 0, `is "${OTHER}"; expected ${DIGEST}`],
    ['the digest is none', { ...env, DIGEST: 'latest' }, '', 0, 'is not a digest'],
    ['the registry refuses', env, 'denied', 1, 'denied'],
  ])('fails when %s', async (_case, changed, answer, answered, problem) => {
    const answers: Record<string, FakeOutput[]> = {
      docker: [
        ['*create*', answer, answered],
        ['*inspect*', answer],
      ],
    };
    await withScript({ ...script('tag-image'), env: changed, answers }, ({ status, stderr }) => {
      expect(status).toBe(1);
      expect(stderr).toContain(problem);
    });
  });
});

const gitIdentity = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
  GIT_CONFIG_GLOBAL: '/dev/null',
};
