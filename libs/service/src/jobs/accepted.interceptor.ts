import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import { AcceptedJob, type JobStatus, type NamedJob } from './job-status.js';

/** A worker looks for jobs twice a second. */
const POLL_SECONDS = 2;

/** Responds with the state of the job, and the address at which its owner reads it. */
export function createAcceptedInterceptor(job: NamedJob): NestInterceptor<unknown, JobStatus> {
  return {
    intercept(context: ExecutionContext, next: CallHandler): Observable<JobStatus> {
      const reply = context.switchToHttp().getResponse<FastifyReply>();
      return next.handle().pipe(
        map((accepted) => {
          if (!(accepted instanceof AcceptedJob) || accepted.job !== job)
            throw new Error(`job ${job.name}: was not accepted; expected the handler to return the job of jobs.accept`);
          const { status } = accepted;
          reply.header('location', `${reply.server.operationsPath}/${status.id}`);
          suggestPause(reply, status);
          return status;
        }),
      );
    },
  };
}

/** Tells the client of a job that has not ended when to ask again. */
export function suggestPause(reply: FastifyReply, { status }: JobStatus): void {
  if (status === 'pending' || status === 'running') reply.header('retry-after', POLL_SECONDS);
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Under which clients read the states of accepted jobs. */
    operationsPath: string;
  }
}
