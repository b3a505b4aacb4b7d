import type { OperationDescription } from './operation.js';
import type { JsonObject } from './schema-collector.js';

type Access = OperationDescription['access'];

const BEARER = { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } };

/** The `security` of an operation. Without one, the operation has that of the document. */
export function describeSecurity(access: Access): JsonObject {
  if (access === undefined) return {};
  if (access === 'public') return { security: [] };
  // OpenAPI 3.1 lists the required roles of a scheme without scopes in their place.
  return { security: ['role' in access ? { bearer: [access.role] } : { [access.signature.name]: [] }] };
}

/** The headers of a signature scheme, except the one that its security scheme describes. */
export function describeSignedHeaders(access: Access): JsonObject[] {
  const [, ...others] = schemeOf(access)?.headers ?? [''];
  return others.map((name) => ({ name, in: 'header', required: true, schema: { type: 'string' } }));
}

/** The security schemes of a document with these operations. */
export function describeSecuritySchemes(operations: readonly OperationDescription[]): JsonObject {
  const schemes = operations.flatMap(({ access }) => schemeOf(access) ?? []);
  const description = 'An HMAC-SHA256 of the body, which the sender computes with a shared key.';
  const signatures = schemes.map(({ name, headers: [header] }) => [
    name,
    { type: 'apiKey', in: 'header', name: header, description },
  ]);
  return { ...BEARER, ...(Object.fromEntries(signatures) as JsonObject) };
}

export function requiresRole(access: Access): boolean {
  return typeof access === 'object' && 'role' in access;
}

function schemeOf(access: Access) {
  return typeof access === 'object' && 'signature' in access ? access.signature : undefined;
}
