import { type CallHandler, type ExecutionContext, type NestInterceptor, StreamableFile } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable, throwError, timeout } from 'rxjs';
import { Problem } from '../problems/problem.js';
import { limitMs } from './file-rules.js';

/** Finds a handler that forgets to keep a file: its row would name an object that is removed. */
export const keptFilesInterceptor: NestInterceptor = {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { context: request } = context.switchToHttp().getRequest<FastifyRequest>();
    const assertKept = (result: unknown) => {
      const forgotten = Object.entries(request.files ?? {}).filter(([, { key }]) => !request.keptFiles.has(key));
      const names = forgotten.map(([name]) => name).join(', ');
      if (names !== '') throw new Error(`files: ${names} was not kept; expected files.keep(tx, …) with its row`);
      return result;
    };
    return next.handle().pipe(map(assertKept));
  },
};

/** Sends a file as a download that no browser opens as a page. */
export const sentFileInterceptor: NestInterceptor<StreamableFile, StreamableFile> = {
  intercept(context: ExecutionContext, next: CallHandler<StreamableFile>): Observable<StreamableFile> {
    const http = context.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const { requestTimeoutMs: first } = http.getRequest<FastifyRequest>().server.eventStreams;
    const tooLate = () => throwError(() => new Problem('request-timeout'));
    return next.handle().pipe(
      timeout({ first, with: tooLate }),
      map((file) => {
        if (!(file instanceof StreamableFile)) throw new Error('files: the handler returned no file of Files.open');
        reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'; sandbox");
        const end = setTimeout(() => reply.raw.destroy(), limitMs(file.getHeaders().length ?? 0)).unref();
        reply.raw.once('close', () => {
          clearTimeout(end);
          file.getStream().destroy();
        });
        return file;
      }),
    );
  },
};
