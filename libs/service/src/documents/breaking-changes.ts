import { compareSchemas, type Direction, type Json } from './schema-changes.js';

/**
 * Lists the changes that break a client of the old document: removed operations and responses, stricter requests, and
 * responses that guarantee less. One line per change. Additions are not breaking.
 */
export function findBreakingChanges(before: Json, after: Json): string[] {
  const documents = { before, after };
  const [old, now] = [operationsOf(before), operationsOf(after)];
  const lines = [...old].flatMap(([name, operation]) => {
    const successor = now.get(name);
    return successor ? compareOperation(name, { old: operation, now: successor, documents }) : [`${name}: is gone`];
  });
  return [...new Set(lines)];
}

interface Change {
  readonly old: Json;
  readonly now: Json;
  readonly documents: { readonly before: Json; readonly after: Json };
}

function compareOperation(name: string, change: Change): string[] {
  return [...compareParameters(name, change), ...compareBody(name, change), ...compareResponses(name, change)];
}

function compareParameters(name: string, { old, now, documents }: Change): string[] {
  const [before, after] = [parametersOf(old), parametersOf(now)];
  const lost = [...before.keys()].filter((key) => !after.has(key)).map((key) => `${name}: parameter ${key} is gone`);
  const kept = [...after].flatMap(([key, parameter]) => {
    const where = `${name}: parameter ${key}`;
    const known = before.get(key);
    const demanded = parameter['required'] === true && known?.['required'] !== true ? [`${where} is now required`] : [];
    const schemas = known && { old: known['schema'], now: parameter['schema'] };
    return [...demanded, ...(schemas ? compare(where, 'sent', { ...schemas, documents }) : [])];
  });
  return [...lost, ...kept];
}

function compareBody(name: string, { old, now, documents }: Change): string[] {
  const [before, after] = [childOf(old, 'requestBody'), childOf(now, 'requestBody')];
  const demanded = after['required'] === true && before['required'] !== true ? [`${name}: a body is now required`] : [];
  return [...demanded, ...compareContent(`${name}: body`, 'sent', { old: before, now: after, documents })];
}

/** Error responses may be added and removed: clients rely on status and code, which the schema of problems lists. */
function compareResponses(name: string, { old, now, documents }: Change): string[] {
  const [before, after] = [childOf(old, 'responses'), childOf(now, 'responses')];
  return Object.entries(before).flatMap(([status, response]) => {
    const where = `${name}: response ${status}`;
    const successor = after[status] as Json | undefined;
    if (!successor) return status < '400' ? [`${where} is gone`] : [];
    const headers = Object.keys(childOf(response as Json, 'headers'));
    const lost = headers.filter((header) => !(header in childOf(successor, 'headers')));
    const content = { old: response as Json, now: successor, documents };
    return [
      ...lost.map((header) => `${where} no longer has the header ${header}`),
      ...compareContent(where, 'received', content),
    ];
  });
}

function compareContent(where: string, direction: Direction, { old, now, documents }: Change): string[] {
  const [before, after] = [childOf(old, 'content'), childOf(now, 'content')];
  return Object.entries(before).flatMap(([type, media]) => {
    const successor = after[type] as Json | undefined;
    if (!successor) return [`${where} is no longer ${type}`];
    return compare(where, direction, { old: (media as Json)['schema'], now: successor['schema'], documents });
  });
}

function compare(
  where: string,
  direction: Direction,
  { old, now, documents }: { old: unknown; now: unknown; documents: Change['documents'] },
): string[] {
  return compareSchemas({ where, direction, ...documents }, old as Json, now as Json);
}

function operationsOf(document: Json): Map<string, Json> {
  const paths = Object.entries(childOf(document, 'paths'));
  return new Map(
    paths.flatMap(([path, methods]) =>
      Object.entries(methods as Json).map(([method, operation]): [string, Json] => [
        `${method} ${path}`,
        operation as Json,
      ]),
    ),
  );
}

function parametersOf(operation: Json): Map<string, Json> {
  const parameters = (operation['parameters'] as Json[] | undefined) ?? [];
  return new Map(parameters.map((parameter) => [`${String(parameter['in'])} ${String(parameter['name'])}`, parameter]));
}

function childOf(value: Json, key: string): Json {
  return (value[key] as Json | undefined) ?? {};
}
