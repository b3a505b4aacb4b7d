import type { FileRules } from '../files/file-rules.js';
import type { JsonObject } from './schema-collector.js';

interface FormFields {
  readonly properties?: JsonObject;
  readonly required?: readonly string[];
}

/** A body in multipart/form-data: the text fields of the schema, and the files. */
export function describeForm(files: FileRules, fields: FormFields): JsonObject {
  const names = Object.keys(files);
  const parts = names.map((name) => [name, { type: 'string', format: 'binary', description: describe(files[name]!) }]);
  const encoding = Object.fromEntries(names.map((name) => [name, { contentType: files[name]!.types.join(', ') }]));
  const required = names.filter((name) => !files[name]?.isOptional);
  const schema = {
    type: 'object',
    ...fields,
    properties: { ...fields.properties, ...(Object.fromEntries(parts) as JsonObject) },
    required: [...(fields.required ?? []), ...required],
  };
  return { required: true, content: { 'multipart/form-data': { schema, encoding } } };
}

function describe({ maxBytes, types }: FileRules[string]): string {
  return `At most ${maxBytes} bytes of ${types.join(' or ')}, judged by the content.`;
}
