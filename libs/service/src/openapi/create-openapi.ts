import { type DynamicModule, RequestMethod, type Type } from '@nestjs/common';
import {
  HTTP_CODE_METADATA,
  METHOD_METADATA,
  PATH_METADATA,
  ROUTE_ARGS_METADATA,
  SSE_METADATA,
} from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { z } from 'zod';
import { operationSchema } from '../jobs/operation-schema.js';
import { problems, type ProblemCode } from '../problems/problem-codes.js';
import { describeSecurity, describeSecuritySchemes, describeSignedHeaders, requiresRole } from './describe-access.js';
import { describeForm } from './describe-form.js';
import type { MessageSchemas } from '../sockets/connection.js';
import { OPERATION, type OperationDescription } from './operation.js';
import { listControllers } from './list-controllers.js';
import { type JsonObject, SchemaCollector } from './schema-collector.js';
import { responseHeaders, problemSchema, requestHeaders } from './shared-parts.js';

export interface OpenApiOptions {
  readonly title: string;
  readonly version: string;
  readonly prefix: string;
  readonly module: Type | DynamicModule;
}

/** One route, as its decorators describe it. */
interface Route {
  readonly method: string;
  readonly path: string;
  readonly name: string;
  readonly tag: string;
  readonly description: OperationDescription;
  readonly body: z.ZodType | undefined;
  readonly query: z.ZodType | undefined;
  readonly parameters: z.ZodType | undefined;
}

/** Problem codes that every operation may return. */
const COMMON: readonly ProblemCode[] = [
  'malformed-request',
  'unauthenticated',
  'rate-limited',
  'internal-error',
  'overloaded',
  'request-timeout',
  'dependency-unavailable',
];

/** The OpenAPI 3.1 document, created from the schemas that validate requests and from the declared problems. */
export function createOpenApi({ title, version, prefix, module }: OpenApiOptions): JsonObject {
  const schemas = new SchemaCollector({ Problem: problemSchema });
  const routes = listControllers(module).flatMap(readRoutes);
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    const path = `${prefix}${route.path}`.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: describeOperation(route, schemas) };
  }
  return {
    openapi: '3.1.1',
    info: { title, version, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: describeSecuritySchemes(routes.map(({ description }) => description)),
      schemas: schemas.all,
    },
  };
}

function readRoutes(controller: Type): Route[] {
  const base = readMetadata<string>(PATH_METADATA, controller) ?? '';
  const prototype = controller.prototype as Record<string, (() => unknown) | undefined>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    const method = handler && readMetadata<RequestMethod>(METHOD_METADATA, handler);
    if (!handler || method === undefined) return [];
    const description = readMetadata<OperationDescription>(OPERATION, handler);
    if (!description)
      throw new Error(`${controller.name}.${name}: is not described; expected @Operation(…) on the method`);
    if (readMetadata<boolean>(SSE_METADATA, handler))
      throw new Error(`${controller.name}.${name}: uses @Sse; expected @Get and \`events\` in @Operation`);
    assertStatus(handler, description, `${controller.name}.${name}`);
    const sub = readMetadata<string>(PATH_METADATA, handler) ?? '/';
    return [
      {
        method: RequestMethod[method].toLowerCase(),
        path: `/${base}${sub === '/' ? '' : `/${sub}`}`,
        name,
        tag: base,
        description,
        ...readSchemas(controller, name),
      },
    ];
  });
}

/** The schemas of `@Body({ schema })`, `@Query({ schema })` and `@Param({ schema })`. */
function readSchemas(controller: Type, name: string): Pick<Route, 'body' | 'query' | 'parameters'> {
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<
    string,
    { schema?: z.ZodType }
  >;
  const schemaOf = (type: RouteParamtypes) =>
    Object.entries(args).find(([key, { schema }]) => key.startsWith(`${type}:`) && schema)?.[1].schema;
  return {
    body: schemaOf(RouteParamtypes.BODY),
    query: schemaOf(RouteParamtypes.QUERY),
    parameters: schemaOf(RouteParamtypes.PARAM),
  };
}

/** Checks that Nest sends the status that the document declares. */
function assertStatus(handler: object, { response }: OperationDescription, name: string): void {
  const isPost = readMetadata<RequestMethod>(METHOD_METADATA, handler) === RequestMethod.POST;
  if (response.messages) return assertSwitching(handler, response, name);
  if ((response.status === 202) !== (response.job !== undefined))
    throw new Error(`${name}: has status 202 or a job alone; expected both in @Operation, or neither`);
  const actual = readMetadata<number>(HTTP_CODE_METADATA, handler) ?? (isPost ? 201 : 200);
  if (actual !== response.status)
    throw new Error(`${name}: returns status ${actual}; expected ${response.status}, the status in @Operation`);
}

function assertSwitching(handler: object, { status }: OperationDescription['response'], name: string): void {
  const isGet = readMetadata<RequestMethod>(METHOD_METADATA, handler) === RequestMethod.GET;
  if (!isGet || status !== 101) throw new Error(`${name}: has \`messages\`; expected @Get and status 101`);
}

function describeOperation(route: Route, schemas: SchemaCollector): JsonObject {
  const { description, body, query, parameters, name, tag } = route;
  const { conditional, access } = description;
  return {
    operationId: `${tag}_${name}`,
    summary: description.summary,
    tags: [tag],
    ...describeSecurity(access),
    parameters: [
      ...schemas.describeParameters(parameters, 'path'),
      ...schemas.describeParameters(query, 'query'),
      ...(conditional ? [requestHeaders[conditional]] : []),
      ...describeSignedHeaders(access),
      ...(description.response.events ? [requestHeaders['last-event-id']] : []),
    ],
    ...(body &&
      !description.files && {
        requestBody: { required: true, content: { 'application/json': { schema: schemas.describe(body, 'input') } } },
      }),
    ...(description.files && {
      requestBody: describeForm(description.files, body ? schemas.describeInline(body, 'input') : {}),
    }),
    ...(description.response.messages && { 'x-messages': describeMessages(description.response.messages, schemas) }),
    responses: { ...describeResponse(description, schemas), ...describeProblems(route) },
  };
}

function describeResponse({ response, conditional }: OperationDescription, schemas: SchemaCollector): JsonObject {
  const { events, file, job } = response;
  const schema = job ? operationSchema : response.schema;
  const names = job ? (['location', 'retry-after'] as const) : response.headers;
  const content = {
    ...(schema && { 'application/json': { schema: schemas.describe(schema, 'output') } }),
    ...(file && { '*/*': { schema: { type: 'string', format: 'binary' } } }),
    // OpenAPI 3.1 cannot describe a sequence: the schema is that of the data of one event.
    ...(events && { 'text/event-stream': { schema: schemas.describe(events, 'output') } }),
  };
  const headers = Object.fromEntries((names ?? []).map((name) => [name, responseHeaders[name]]));
  const description = describeSuccess(response);
  return {
    [response.status]: {
      description,
      ...(names && { headers }),
      ...(Object.keys(content).length > 0 && { content }),
    },
    ...(conditional === 'if-none-match' && { 304: { description: 'The caller already has this version.' } }),
  };
}

/** OpenAPI 3.1 has no word for the messages of a WebSocket. */
function describeMessages({ received, sent }: MessageSchemas, schemas: SchemaCollector): JsonObject {
  return { ...(received && { received: schemas.describe(received, 'input') }), sent: schemas.describe(sent, 'output') };
}

function describeSuccess({ status, events, file, job }: OperationDescription['response']): string {
  if (events) return 'Server-sent events. The data of each is JSON with this schema.';
  if (file) return 'The file, as a download.';
  if (job) return 'Accepted. `Location` is the address at which the caller reads the state.';
  if (status === 101)
    return 'The connection becomes a WebSocket. Its messages are JSON with the schemas of `x-messages`.';
  return status === 204 ? 'Success, without a body.' : 'Success.';
}

function describeProblems({ method, description, body, query, parameters }: Route): JsonObject {
  const codes = new Set<ProblemCode>([
    ...COMMON.filter((code) => description.access !== 'public' || code !== 'unauthenticated'),
    ...(description.response.messages ? (['upgrade-required', 'forbidden'] as const) : []),
    ...(requiresRole(description.access) ? (['forbidden'] as const) : []),
    ...(description.problems ?? []),
    ...(body || query || parameters || description.files ? (['validation-failed'] as const) : []),
    // Every method except GET reads a body, even if the operation ignores it.
    ...(method === 'get' ? [] : (['body-too-large', 'unsupported-media-type'] as const)),
    ...(description.conditional === 'if-match' ? (['precondition-failed', 'precondition-required'] as const) : []),
  ]);
  const byStatus = Map.groupBy([...codes].sort(), (code) => problems[code].status);
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      { description: same.map((code) => `\`${code}\`: ${problems[code].title}.`).join(' '), content },
    ]),
  );
}

function readMetadata<T>(key: string, target: object): T | undefined {
  return Reflect.getMetadata(key, target) as T | undefined;
}
