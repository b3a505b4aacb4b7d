import { isEnvironment, traitsOf } from '@airlock/config';
import {
  commandsOf,
  environmentOf,
  jobsOf,
  needsOf,
  scriptsOf,
  stepsOf,
  workflowsOf,
  type WorkflowTexts,
} from './workflow-files.js';

export interface WorkflowRule {
  readonly id: string;
  readonly title: string;
  /** The places that break the rule; none if the files keep it. */
  readonly find: (files: WorkflowTexts) => string[];
  /** Changes that the rule must notice: path under .github, old text, new text. */
  readonly mutations: readonly (readonly [path: string, from: string | RegExp, to: string])[];
}

const WRITES: Readonly<Record<string, readonly string[]>> = {
  'deploy-staging.yml build': ['packages', 'id-token', 'attestations'],
  'deploy-staging.yml deploy': ['packages', 'deployments', 'id-token'],
  'deploy-production.yml deploy': ['packages', 'deployments', 'id-token'],
  'promote.yml deploy': ['packages', 'deployments', 'id-token'],
  'rollback.yml rollback': ['deployments', 'id-token'],
  'preview.yml build': ['packages'],
};
const SECRETS = ['DEPLOY_SSH_KEY', 'PLATFORM_TOKEN'];
const SAME_REPOSITORY = 'github.event.pull_request.head.repo.full_name == github.repository';
const PREVIEW_GROUP = 'preview-${{ github.event.pull_request.number }}';

/**
 ** Rules that only this workspace needs. Unpinned actions, expressions in scripts, triggers that give code of a fork our tokens and
 * inherited secrets are found by zizmor, which CI runs (W14).
 */
export const workflowRules: readonly WorkflowRule[] = [
  {
    id: 'W1',
    title: 'every action is pinned by a full commit with its version in a comment, the same one everywhere',
    find: (files) => [...findUnpinned(files), ...findSeveralVersions(files)],
    mutations: [
      ['workflows/ci.yml', /checkout@[0-9a-f]{40} # v7.0.1/, 'checkout@v7'],
      ['workflows/ci.yml', /checkout@[0-9a-f]{40} # v7.0.1/, 'checkout@3d3c42e5aac5ba805825da76410c181273ba90b1'],
      ['workflows/ci.yml', /checkout@[0-9a-f]{40} # v7.0.1/, `checkout@${'0'.repeat(40)} # v7.0.1`],
      ['actions/ship/action.yml', /setup-node@[0-9a-f]{40}/, 'setup-node@main'],
    ],
  },
  {
    id: 'W2',
    title: 'a token can read the code at most, except the listed jobs and grants',
    find: (files) => [
      ...workflowsOf(files)
        .filter(([, { permissions }]) => !['{}', '{"contents":"read"}'].includes(JSON.stringify(permissions)))
        .map(([path]) => path),
      ...jobsOf(files).flatMap(([name, { permissions = {} }]) =>
        Object.entries(permissions)
          .filter(([scope, level]) => level !== 'read' && !WRITES[name]?.includes(scope))
          .map(([scope]) => `${name}: ${scope}`),
      ),
    ],
    mutations: [
      ['workflows/promote.yml', 'permissions: {}', 'permissions: write-all'],
      ['workflows/promote.yml', 'permissions: {}\n', ''],
      ['workflows/rollback.yml', 'contents: read', 'contents: write'],
      ['workflows/preview.yml', 'pull-requests: read', 'pull-requests: write'],
    ],
  },
  {
    id: 'W3',
    title: 'no token stays in the checkout, every job ends, every shell stops at an error',
    find: (files) => [
      ...stepsOf(files)
        .filter(([, s]) => s.uses?.includes('/checkout@') && s.with?.['persist-credentials'] !== false)
        .map(first),
      ...jobsOf(files)
        .filter(([, job]) => !job.uses && !(job['timeout-minutes'] ?? 0))
        .map(first),
      ...workflowsOf(files)
        .filter(([, workflow]) => workflow.defaults?.run?.shell !== 'bash')
        .map(first),
      ...stepsOf(files)
        .filter(([name, step]) => name.includes('/action.yml') && step.run && step.shell !== 'bash')
        .map(first),
      ...scriptsOf(files)
        .filter(([path, text]) => !stopsAtErrors(path, text))
        .map(first),
    ],
    mutations: [
      ['workflows/ci.yml', 'persist-credentials: false', 'persist-credentials: true'],
      ['workflows/rollback.yml', '    timeout-minutes: 20\n', ''],
      ['workflows/rollback.yml', 'shell: bash', 'shell: sh'],
      ['actions/ship/action.yml', 'shell: bash', 'shell: pwsh'],
      ['scripts/lib.sh', 'set -euo pipefail', 'set -e'],
      ['scripts/tag-image.sh', 'source "$(dirname "$0")/lib.sh"', ''],
    ],
  },
  {
    id: 'W5',
    title: 'a job with an environment or a write token runs no code of a fork',
    find: findOpenToForks,
    mutations: [['workflows/preview.yml', ` &&\n      ${SAME_REPOSITORY}`, '']],
  },
  {
    id: 'W6',
    title: 'a secret is read only by a job of an environment, so that its reviewers and branch rules hold',
    find: (files) => [
      ...jobsOf(files)
        .filter(([, job]) => JSON.stringify(job).includes('secrets.') && !environmentOf(job))
        .map(first),
      ...jobsOf(files)
        .filter(([, job]) => ships(job) && !environmentOf(job))
        .map(first),
      ...workflowsOf(files)
        .filter(([, { env }]) => JSON.stringify(env ?? {}).includes('secrets.'))
        .map(first),
    ],
    mutations: [
      ['workflows/deploy-production.yml', '    environment:\n      name: production\n      url: ${{ vars.URL }}\n', ''],
      ['workflows/preview.yml', '\n    environment: preview\n', '\n'],
      ['workflows/promote.yml', 'permissions: {}', 'permissions: {}\nenv:\n  KEY: ${{ secrets.DEPLOY_SSH_KEY }}'],
    ],
  },
  {
    id: 'W7',
    title: 'clouds are accessed by OIDC; the only stored keys are those of targets without OIDC',
    find: (files) => [
      ...Object.entries(files).flatMap(([path, text]) =>
        [...text.matchAll(/secrets\.(\w+)/g)]
          .filter(([, name = '']) => !SECRETS.includes(name))
          .map(([found]) => `${path}: ${found}`),
      ),
      ...stepsOf(files)
        .filter(([, step]) =>
          /credentials_json|ACCESS_KEY|SA_KEY|access-key[\w-]*\":\"(?!\$\{\{ steps\.)/.test(JSON.stringify(step)),
        )
        .map(first),
      ...jobsOf(files)
        .filter(
          ([, job]) =>
            ships(job) && !traitsOf(environmentOf(job)).isDisposable && job.permissions?.['id-token'] !== 'write',
        )
        .map(first),
    ],
    mutations: [
      ['workflows/promote.yml', 'secrets.PLATFORM_TOKEN', 'secrets.GCP_SA_KEY'],
      ['actions/ship/action.yml', 'workload_identity_provider:', 'credentials_json:'],
      ['actions/ship/action.yml', 'steps.aliyun.outputs.aliyun-access-key-secret', 'inputs.platform-token'],
      ['workflows/deploy-staging.yml', 'id-token: write # sign in', 'id-token: read # sign in'],
    ],
  },
  {
    id: 'W8',
    title: 'one delivery at a time for an environment, none cancelled halfway; up and down of a preview share a group',
    find: findConcurrency,
    mutations: [
      ['workflows/deploy-production.yml', 'group: deploy-production', 'group: production'],
      ['workflows/rollback.yml', 'cancel-in-progress: false', 'cancel-in-progress: true'],
      ['workflows/promote.yml', '      queue: max\n', ''],
      ['workflows/preview.yml', /(?<=down:[\s\S]*?group: )preview-/, 'down-'],
    ],
  },
  {
    id: 'W9',
    title: 'no job that ships or holds a key restores a cache; production never builds',
    find: (files) => [
      ...stepsOf(files)
        .filter(([, step]) => step.uses?.startsWith('actions/cache'))
        .map(first),
      ...stepsOf(files)
        .filter(([, s]) => s.uses?.includes('setup-node@') && s.with?.['package-manager-cache'] !== false)
        .map(first),
      ...stepsOf(files)
        .filter(([, step]) => Object.keys(step.with ?? {}).some((key) => /^cache/.test(key)))
        .map(first),
      ...stepsOf(files)
        .filter(([name, step]) => /^(deploy-production|promote|rollback)/.test(name) && step.uses?.includes('build'))
        .map(first),
    ],
    mutations: [
      ['workflows/ci.yml', 'package-manager-cache: false', 'cache: npm'],
      ['workflows/deploy-staging.yml', 'provenance: mode=max', 'provenance: mode=max\n          cache-from: type=gha'],
      ['workflows/promote.yml', 'docker/login-action@', 'docker/build-push-action@'],
    ],
  },
  {
    id: 'W10',
    title:
      'production accepts only releases that passed verify-release.sh; a manual run is first confirmed by a typed word',
    find: (files) => [...findUnverified(files), ...findUnconfirmed(files)],
    mutations: [
      ['workflows/deploy-production.yml', '    needs: verify\n', ''],
      ['workflows/promote.yml', 'bash .github/scripts/verify-release.sh', 'true'],
      ['workflows/promote.yml', 'digest: ${{ needs.verify.outputs.digest }}', 'digest: ${{ inputs.digest }}'],
      ['workflows/promote.yml', 'confirm.sh PROMOTE', 'name-image.sh PROMOTE'],
      ['workflows/rollback.yml', 'confirm.sh ROLLBACK', 'name-image.sh ROLLBACK'],
    ],
  },
  {
    id: 'W11',
    title: 'only tag-image.sh creates tags; it compares the digest before and after',
    find: (files) =>
      commandsOf(files)
        .filter(([name, command]) =>
          name.endsWith('tag-image.sh')
            ? !command.includes('--prefer-index=false') || !command.includes('[[ $tagged == "$DIGEST" ]] ||')
            : /docker (tag|push)\b|imagetools create|crane tag/.test(command),
        )
        .map(first),
    mutations: [
      ['scripts/tag-image.sh', ' --prefer-index=false', ''],
      ['scripts/tag-image.sh', '[[ $tagged == "$DIGEST" ]] ||', 'true ||'],
      ['actions/ship/action.yml', 'run: bash .github/scripts/tag-image.sh', 'run: docker push "$IMAGE:latest"'],
    ],
  },
  {
    id: 'W12',
    title: 'SSH trusts pinned host keys only, and no runner of our own holds a key',
    find: (files) => [
      ...commandsOf(files)
        .filter(([, command]) =>
          /StrictHostKeyChecking[ =](no|accept-new|off)|^\s*ssh-keyscan|\| *ssh-keyscan/m.test(command),
        )
        .map(first),
      ...scriptsOf(files)
        .filter(([path, text]) => path.endsWith('connect.sh') && !/StrictHostKeyChecking yes/.test(text))
        .map(first),
      ...jobsOf(files)
        .filter(([, job]) => !job.uses && job['runs-on'] !== 'ubuntu-24.04')
        .map(first),
    ],
    mutations: [
      ['scripts/connect.sh', 'StrictHostKeyChecking yes', 'StrictHostKeyChecking no'],
      ['scripts/connect.sh', 'umask 077', 'ssh-keyscan example.com'],
      ['workflows/rollback.yml', 'runs-on: ubuntu-24.04', 'runs-on: self-hosted'],
    ],
  },
  {
    id: 'W13',
    title: 'no run creates a tag or release to start another run: a job token starts none',
    find: (files) =>
      commandsOf(files)
        .filter(([, command]) => /gh release create|git push|git tag |gh workflow run|git\/refs/.test(command))
        .map(first),
    mutations: [
      ['actions/ship/action.yml', 'run: bash .github/scripts/tag-image.sh', 'run: gh release create "$RELEASE"'],
      [
        'scripts/record-deployment.sh',
        'gh api --method POST',
        'git push origin "$COMMIT:staging" && gh api --method POST',
      ],
    ],
  },
  {
    id: 'W14',
    title: 'every run is one line that starts a file of the repository, and CI lints the scripts and the workflows',
    find: (files) => [
      ...stepsOf(files)
        .filter(([, step]) => step.run?.trim().includes('\n'))
        .map(first),
      ...commandsOf(files).flatMap(([name, command]) =>
        [...command.matchAll(/\.github\/scripts\/[\w-]+\.sh/g)]
          .map(first)
          .filter((path) => !(path in files))
          .map((path) => `${name}: ${path}`),
      ),
      ...['shellcheck', 'zizmor'].filter(
        (tool) => !stepsOf(files).some(([name, s]) => name.startsWith('ci.yml') && s.run?.includes(tool)),
      ),
      ...workflowsOf(files)
        .filter(([path, { on }]) => path === 'ci.yml' && !('pull_request' in on && 'workflow_call' in on))
        .map(first),
    ],
    mutations: [
      ['workflows/ci.yml', 'run: bash .ci/run', 'run: |\n          echo one\n          echo two'],
      ['workflows/promote.yml', 'verify-release.sh', 'verify-releases.sh'],
      ['workflows/ci.yml', 'run: shellcheck', 'run: echo'],
      ['workflows/ci.yml', /run: pipx run zizmor.*/, 'run: "true"'],
    ],
  },
];

const first = <T>([name]: [string, T] | RegExpMatchArray): string => name ?? '';

const usesOf = (files: WorkflowTexts): [string, string][] =>
  Object.entries(files).flatMap(([path, text]) =>
    [...text.matchAll(/^\s*(?:- )?uses: (.+)$/gm)].map(([, uses = '']): [string, string] => [path, uses]),
  );

const findUnpinned = (files: WorkflowTexts): string[] =>
  usesOf(files)
    .filter(([, uses]) => !/^(\.\/[\w./-]+|[\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v?\d+(\.\d+)+)$/.test(uses))
    .map(([path, uses]) => `${path}: ${uses}`);

function findSeveralVersions(files: WorkflowTexts): string[] {
  const pins = new Set(usesOf(files).map(([, uses]) => uses));
  const names = [...pins].map((uses) => uses.replace(/@.*/, ''));
  return names.filter((name, index) => names.indexOf(name) !== index);
}

const stopsAtErrors = (path: string, text: string): boolean =>
  path.endsWith('/lib.sh')
    ? text.includes('\nset -euo pipefail\n')
    : text.startsWith('#!/usr/bin/env bash\n') && /^(?!#)source "\$\(dirname "\$0"\)\/lib\.sh"$/m.test(text);

const ships = (job: { steps?: { uses?: string }[] }): boolean =>
  (job.steps ?? []).some((step) => step.uses === './.github/actions/ship');

/** Jobs that a pull request of a fork would reach with an environment or a write token. */
function findOpenToForks(files: WorkflowTexts): string[] {
  return workflowsOf(files)
    .filter(([, { on }]) => 'pull_request' in on)
    .flatMap(([path, { jobs }]) => {
      const isClosed = (name: string): boolean => {
        const condition = jobs[name]?.if ?? '';
        return (
          condition.includes(SAME_REPOSITORY) ||
          condition === "github.event_name == 'schedule'" ||
          needsOf(jobs[name] ?? {}).some(isClosed)
        );
      };
      return Object.entries(jobs)
        .filter(([, job]) => environmentOf(job) ?? Object.values(job.permissions ?? {}).includes('write'))
        .filter(([name]) => !isClosed(name))
        .map(([name]) => `${path} ${name}`);
    });
}

function findConcurrency(files: WorkflowTexts): string[] {
  return jobsOf(files)
    .filter(([name, job]) => environmentOf(job) !== undefined && !name.endsWith(' reap'))
    .filter(([, job]) => {
      const {
        group,
        queue,
        'cancel-in-progress': cancel,
      } = job.concurrency ?? { group: '', 'cancel-in-progress': true };
      return traitsOf(environmentOf(job)).isDisposable
        ? !(group === PREVIEW_GROUP && cancel)
        : !(group === `deploy-${environmentOf(job)}` && !cancel && queue === 'max');
    })
    .map(first);
}

/** A manually started job may name the environment that it changes only at its start. */
function takesPromotedOnly(environment: string): boolean {
  return isEnvironment(environment) && !traitsOf(environment).takesBuilds;
}

function findUnverified(files: WorkflowTexts): string[] {
  return workflowsOf(files).flatMap(([path, { jobs }]) =>
    Object.entries(jobs)
      .filter(([, job]) => takesPromotedOnly(environmentOf(job) ?? ''))
      .filter(([, job]) => {
        const verified = needsOf(job).filter((name) =>
          JSON.stringify(jobs[name]).includes('scripts/verify-release.sh'),
        );
        const shipped = job.steps?.find((step) => step.uses === './.github/actions/ship')?.with ?? {};
        return !verified.some((name) => shipped['digest'] === `\${{ needs.${name}.outputs.digest }}`);
      })
      .map(([name]) => `${path} ${name}`),
  );
}

/** A manually started job first compares the typed word. */
function findUnconfirmed(files: WorkflowTexts): string[] {
  return workflowsOf(files)
    .filter(([, { on }]) => 'workflow_dispatch' in on)
    .filter(([path, { jobs }]) => {
      const steps = Object.values(jobs).find((job) => needsOf(job).length === 0)?.steps ?? [];
      const runs = steps.map((step) => step.run).filter(Boolean);
      return runs[0] !== `bash .github/scripts/confirm.sh ${path.replace('.yml', '').toUpperCase()}`;
    })
    .map(first);
}
