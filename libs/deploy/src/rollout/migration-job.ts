import type { Docker } from '../engine/docker.js';
import { runJobs, type JobOptions } from '../release/release-job.js';
import { describeJobFailure, parseJson } from './preflight.js';
import { DeployError } from '../engine/deploy-error.js';
import type { ReleasePlan } from '../release/release-plan.js';

/** Makes roles, database and stamp. Whoever stamped the database before decides: provisioning never changes a stamp. */
export async function provisionOnce(docker: Docker, plan: ReleasePlan, jobs: JobOptions): Promise<void> {
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
    mend: 'nothing serves yet; mend it and deploy again: it does again only what is missing',
  });
}

/** Runs the migrations of the new image, once, before anything of it serves. Answers the schema's head. */
export async function migrateOnce(
  docker: Docker,
  options: { plan: ReleasePlan; environment: string; actor: string; jobs: JobOptions },
): Promise<string | null> {
  const { plan, environment, actor, jobs } = options;
  if (plan.releaseJob === undefined) return null;
  const command = ['airlock', 'db', 'migrate', '--json', '--environment', environment, '--actor', actor];
  const { migrate } = await runJobs(docker, { migrate: { service: plan.releaseJob.service, command } }, jobs);
  // They ran, whatever the job printed of it.
  if (migrate.exitCode === 0) return (parseJson(migrate.stdout) as { head?: string } | undefined)?.head ?? null;
  throw new DeployError({
    text: `migrations: ${describeJobFailure(migrate)}`,
    mend: 'no new task was started and the old ones serve; mend the migration, deploy again: it goes on where it stopped',
  });
}
