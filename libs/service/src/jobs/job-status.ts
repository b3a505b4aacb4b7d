import { type ProblemDetails, Problem } from '../problems/problem.js';
import { problems, type ProblemCode } from '../problems/problem-codes.js';

/** A declared job, of which only the name matters. */
export interface NamedJob {
  readonly name: string;
}

/** A job as its owner sees it. */
export interface JobStatus {
  readonly id: string;
  readonly status: 'pending' | 'running' | 'done' | 'failed';
  /** The path of the result, if the job has set one. */
  readonly result?: string;
  /** Why it has failed. */
  readonly problem?: ProblemDetails;
}

/** The response of a route with status 202. */
export class AcceptedJob {
  readonly job: NamedJob;
  readonly status: JobStatus;

  constructor(job: NamedJob, status: JobStatus) {
    this.job = job;
    this.status = status;
  }
}

export interface StatusRow {
  readonly state: 'created' | 'retry' | 'active' | 'completed' | 'cancelled' | 'failed';
  readonly output: Readonly<Record<string, unknown>> | null;
}

const STATUSES: Readonly<Record<StatusRow['state'], JobStatus['status']>> = {
  created: 'pending',
  retry: 'pending',
  active: 'running',
  completed: 'done',
  cancelled: 'failed',
  failed: 'failed',
};
/**
 * Without the user of the transaction it finds nothing. A dead letter that was retried is another row, which has the id
 * of the first one.
 */
const FIND = `
  SELECT state, output FROM jobs.job
   WHERE name = ANY ($1::text[]) AND (id = $2 OR source_root_id = $2)
     AND data ->> 'ownerId' = current_setting('app.user_id', true)
   ORDER BY created_on DESC, source_root_id NULLS LAST LIMIT 1`;

/** Finds a job of the user of the transaction. */
export function findStatus(declared: readonly NamedJob[], id: string) {
  return { name: 'read_job_status', text: FIND, values: [declared.map(({ name }) => name), id] };
}

export function readStatus(id: string, { state, output }: StatusRow): JobStatus {
  const status = STATUSES[state];
  const result = output?.['result'];
  return {
    ...{ id, status },
    ...(status === 'done' && typeof result === 'string' && { result }),
    ...(status === 'failed' && { problem: readProblem(output ?? {}) }),
  };
}

/** The reason that the caller may know: a problem that the job has thrown. Any other error is one of the service. */
export function describeProblem(error: unknown): { problem?: { code: ProblemCode; detail?: string } } {
  if (!(error instanceof Problem)) return {};
  const { code, detail } = error;
  return { problem: { code, ...(detail !== undefined && { detail }) } };
}

function readProblem({ problem, request_id: requestId }: Readonly<Record<string, unknown>>): ProblemDetails {
  // Another release may have stored a code that this one does not know.
  const { code, detail } = (problem ?? {}) as { code?: ProblemCode; detail?: string };
  const isKnown = code !== undefined && Object.hasOwn(problems, code);
  const shown = isKnown ? new Problem(code, detail === undefined ? {} : { detail }) : new Problem('internal-error');
  return shown.describe(typeof requestId === 'string' ? requestId : undefined);
}
