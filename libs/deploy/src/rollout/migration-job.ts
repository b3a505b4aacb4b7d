import type { Docker } from '../engine/docker.js';
import { runJobs, type SwarmJobOptions } from '../release/release-job.js';
import { describeJobFailure, parseJson } from './preflight.js';
import { DeployError } from '../engine/deploy-error.js';
import type { ReleasePlan } from '../release/release-plan.js';

/** Creates what is missing of roles, database and stamp. Provisioning never changes an existing stamp. */
export async function provisionOnce(docker: Docker, plan: ReleasePlan, jobs: SwarmJobOptions): Promise<void> {
  const { provisionJob: job } = plan;
  if (job === undefined) return;
  const { provision } = await runJobs(
    docker,
    { provision: { service: job.service, command: job.service['command'] as string[] } },
    jobs,
  );
  if (provision.exitCode === 0) return;
  throw new DeployError({
    text: `provision: ${describeJobFailure(provision)}`,
    fix: 'no replica was replaced; fix the cause and deploy again: provisioning only adds what is missing',
  });
}

/**
 * Runs the migrations of the new image once, before any of its replicas serves. Returns the schema's newest migration.
 */
export async function migrateOnce(
  docker: Docker,
  options: { plan: ReleasePlan; environment: string; actor: string; jobs: SwarmJobOptions },
): Promise<string | null> {
  const { plan, environment, actor, jobs } = options;
  if (plan.releaseJob === undefined) return null;
  const command = ['airlock', 'db', 'migrate', '--json', '--environment', environment, '--actor', actor];
  const { migrate } = await runJobs(docker, { migrate: { service: plan.releaseJob.service, command } }, jobs);
  // The exit code decides, whatever the job printed.
  if (migrate.exitCode === 0) return (parseJson(migrate.stdout) as { head?: string } | undefined)?.head ?? null;
  throw new DeployError({
    text: `migrations: ${describeJobFailure(migrate)}`,
    fix: 'no replica was replaced, so the running release is unchanged; fix the migration and deploy again: it resumes there',
  });
}
