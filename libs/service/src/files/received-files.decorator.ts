import { createParamDecorator, type ExecutionContext, Injectable, type PipeTransform } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { StoredFile } from '../context/request-context.js';
import { type FieldError, Problem } from '../problems/problem.js';
import type { FileRules } from './file-rules.js';

/** The files of a request by the name of their part. An optional file may be missing: `Partial<ReceivedFiles<'logo'>>`. */
export type ReceivedFiles<Name extends string> = Readonly<Record<Name, StoredFile>>;

/** The files of a request. A request without a required file is refused, together with the errors of its fields. */
export const Received = () => readFiles(RequireFiles);

const readFiles = createParamDecorator((_: unknown, context: ExecutionContext): FileRequest => {
  const { context: found, routeOptions } = context.switchToHttp().getRequest<FastifyRequest>();
  const { files: rules } = routeOptions.config;
  if (!rules) throw new Error('@Received: the route takes no files; expected `files` in its @Operation');
  return { rules, files: found.files ?? {}, errors: found.fieldErrors };
});

interface FileRequest {
  readonly rules: FileRules;
  readonly files: Readonly<Record<string, StoredFile>>;
  readonly errors: FieldError[];
}

@Injectable()
class RequireFiles implements PipeTransform<FileRequest> {
  async transform({ rules, files, errors }: FileRequest): Promise<FileRequest['files']> {
    const missing = Object.keys(rules).filter((name) => !rules[name]?.isOptional && !files[name]);
    if (missing.length === 0) return files;
    errors.push(...missing.map((name) => ({ pointer: `#/${name}`, detail: 'must be a file' })));
    // As in ValidationPipe: the errors of the fields are found at the same time.
    await new Promise(setImmediate);
    throw new Problem('validation-failed', { errors });
  }
}
