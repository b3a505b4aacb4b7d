export type Schema = Readonly<Record<string, unknown>> & { readonly examples?: readonly unknown[] };

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: Schema;
}

interface DescribedResponse {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
  readonly headers?: object;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Undefined also for a form with files. */
  readonly body: Schema | undefined;
  readonly responses: Readonly<Record<string, DescribedResponse>>;
  /** One request and one response for a caller with a token: no stream, and no signature. */
  readonly isPlain: boolean;
}

interface OperationObject {
  readonly security?: readonly object[];
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly 'application/json'?: { readonly schema: Schema } } };
  readonly responses: Operation['responses'];
}

export function readOperations(document: Readonly<Record<string, unknown>>): Operation[] {
  const paths = document['paths'] as Record<string, Record<string, OperationObject>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, { operationId, parameters = [], requestBody, responses, security = [{ bearer: [] }] }]) => ({
        id: operationId,
        method,
        path,
        parameters,
        body: requestBody?.content['application/json']?.schema,
        responses,
        isPlain: !streams(responses) && security.every((scheme) => 'bearer' in scheme),
      }),
    ),
  );
}

function streams(responses: Operation['responses']): boolean {
  return '101' in responses || Object.values(responses).some(({ content = {} }) => 'text/event-stream' in content);
}
