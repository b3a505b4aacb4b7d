import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common';
import type { FastifyContextConfig } from 'fastify';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { z } from 'zod';
import type { FileRules } from '../files/file-rules.js';
import { keptFilesInterceptor, sentFileInterceptor } from '../files/files.interceptor.js';
import { eventsInterceptor } from '../events/events.interceptor.js';
import type { NamedJob } from '../jobs/job-status.js';
import { createAcceptedInterceptor } from '../jobs/accepted.interceptor.js';
import type { ProblemCode } from '../problems/problem-codes.js';
import type { SignatureScheme } from '../signatures/signature-scheme.js';
import type { MessageSchemas } from '../sockets/connection.js';
import { createSocketsInterceptor } from '../sockets/sockets.interceptor.js';

/** The facts that the route itself does not contain. Parameters and bodies come from the schemas that validate them. */
export interface OperationDescription {
  readonly summary: string;
  readonly response: {
    readonly status: 101 | 200 | 201 | 202 | 204 | 303;
    readonly schema?: z.ZodType;
    /** The `data` of each event, for a handler that returns an `AsyncIterable<ServerEvent>`. */
    readonly events?: z.ZodType;
    /** The messages of a WebSocket, for a handler that returns a `Conversation`. With status 101. */
    readonly messages?: MessageSchemas;
    /** The handler returns what `Files.open` returns. */
    readonly file?: true;
    /** The job that a handler sends with `Jobs.accept`, whose result it returns. With status 202. */
    readonly job?: NamedJob;
    readonly headers?: readonly ('etag' | 'location' | 'retry-after')[];
  };
  /** Files in a body in multipart/form-data, by the name of their part. The other parts are the fields of `@Body`. */
  readonly files?: FileRules;
  /** The conditional header that the operation supports. */
  readonly conditional?: 'if-match' | 'if-none-match';
  /** Additional to the problems of every operation. */
  readonly problems?: readonly ProblemCode[];
  /**
   * Who may call it; every caller with a token by default. `public`: also callers without one. `signature`: callers
   * without one that sign the body, such as the sender of a webhook.
   */
  readonly access?: 'public' | { readonly role: string } | { readonly signature: SignatureScheme };
}

export const OPERATION = 'airlock:operation';

/** Describes a route of a controller in the OpenAPI document, and declares who may call it. */
export const Operation = (description: OperationDescription) =>
  applyDecorators(
    SetMetadata(OPERATION, description),
    RouteConfig({ ...readAccess(description), ...readStreams(description), ...readFiles(description) }),
    ...useInterceptors(description),
  );

function readStreams({ response: { events, messages } }: OperationDescription): FastifyContextConfig {
  return { ...(events && { streams: 'events' }), ...(messages && { streams: 'messages' }) };
}

function readFiles({ files, response: { file } }: OperationDescription): FastifyContextConfig {
  return { sendsFile: file === true, ...(files && { files }) };
}

function useInterceptors({
  files,
  response: { events, messages, file, job },
}: OperationDescription): MethodDecorator[] {
  return [
    ...(events ? [UseInterceptors(eventsInterceptor)] : []),
    ...(messages ? [UseInterceptors(createSocketsInterceptor(messages))] : []),
    ...(job ? [UseInterceptors(createAcceptedInterceptor(job))] : []),
    ...(file ? [UseInterceptors(sentFileInterceptor)] : []),
    ...(files ? [UseInterceptors(keptFilesInterceptor)] : []),
  ];
}

function readAccess({ access }: OperationDescription): FastifyContextConfig {
  return access === 'public' ? { isPublic: true } : { ...access };
}
