type Json = Readonly<Record<string, unknown>>;

/**
 * What the new document takes away from a client of the old one: operations, answers, fields of answers, and freedom in
 * what may be sent. Each as a line; additions are none.
 */
export function findBreakingChanges(before: Json, after: Json): string[] {
  const [old, now] = [operationsOf(before), operationsOf(after)];
  const operations = [...old].flatMap(([name, operation]) => {
    const successor = now.get(name);
    return successor ? compareOperation(name, operation, successor) : [`${name}: is gone`];
  });
  return [...operations, ...compareSchemas(schemasOf(before), schemasOf(after))];
}

function compareOperation(name: string, old: Json, now: Json): string[] {
  const known = new Map(parametersOf(old).map((parameter) => [keyOf(parameter), parameter]));
  const kept = new Set(parametersOf(now).map(keyOf));
  const lost = [...known.keys()].filter((key) => !kept.has(key)).map((key) => `${name}: parameter ${key} is gone`);
  const demanded = parametersOf(now)
    .filter((parameter) => parameter['required'] === true && known.get(keyOf(parameter))?.['required'] !== true)
    .map((parameter) => `${name}: parameter ${keyOf(parameter)} is now required`);
  const answers = new Set(Object.keys(childOf(now, 'responses')));
  const unanswered = Object.keys(childOf(old, 'responses')).filter((status) => status < '400' && !answers.has(status));
  return [...lost, ...demanded, ...unanswered.map((status) => `${name}: answer ${status} is gone`)];
}

function compareSchemas(old: Json, now: Json): string[] {
  return Object.entries(old).flatMap(([name, schema]) =>
    name in now ? compareSchema(name, schema as Json, now[name] as Json) : [`${name}: is gone`],
  );
}

function compareSchema(where: string, old: Json, now: Json): string[] {
  const [oldFields, fields] = [childOf(old, 'properties'), childOf(now, 'properties')];
  const lost = Object.keys(oldFields).filter((field) => !(field in fields));
  const demanded = listOf(now, 'required').filter((field) => !listOf(old, 'required').includes(field));
  const values = listOf(old, 'enum').filter((value) => !listOf(now, 'enum').includes(value));
  const changed = JSON.stringify(old['type']) !== JSON.stringify(now['type']) ? [`${where}: has another type`] : [];
  const inner = Object.entries(oldFields)
    .filter(([field]) => field in fields)
    .flatMap(([field, schema]) => compareSchema(`${where}.${field}`, schema as Json, fields[field] as Json));
  return [
    ...changed,
    ...lost.map((field) => `${where}.${field}: is gone`),
    ...demanded.map((field) => `${where}.${field}: is now required`),
    ...values.map((value) => `${where}: no longer knows ${value}`),
    ...inner,
  ];
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

function schemasOf(document: Json): Json {
  return childOf(childOf(document, 'components'), 'schemas');
}

function parametersOf(operation: Json): Json[] {
  return (operation['parameters'] as Json[] | undefined) ?? [];
}

function keyOf({ name, in: where }: Json): string {
  return `${String(where)} ${String(name)}`;
}

function childOf(value: Json, key: string): Json {
  return (value[key] as Json | undefined) ?? {};
}

function listOf(value: Json, key: string): string[] {
  return (value[key] as string[] | undefined) ?? [];
}
