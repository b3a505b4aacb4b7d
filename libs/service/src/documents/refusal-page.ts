import { signatureRefusals } from '../failures/signature-refusal.js';
import { refusals } from '../failures/token-refusal.js';

/** The runbook for callers that get a 401: each cause that the access log names. */
export function renderRefusalPage(): string {
  return `# Refused tokens

Callers get 401 \`unauthenticated\`. The response does not name the cause. The access log does, in every environment:
\`auth_refusal\` is a cause of the list below, \`auth_claim\` is the claim or header parameter that was checked, and
\`auth_seconds\` is the difference between \`exp\` or \`nbf\` and the current time. No line contains a token or the value of a
claim.

## First minute

\`\`\`sh
docker service logs --since 15m airlock-production_api 2>&1 | grep -o '"auth_refusal":"[a-z-]*"' | sort | uniq -c
\`\`\`

If all callers have the same cause, a setting of this service is wrong or the issuer has changed. Several causes in small
numbers are normal: tokens expire, and strangers try invalid ones.

## Causes

${renderCauses(refusals)}

## Causes for signed requests

For routes that require a signature in place of a token ([webhooks](../webhooks.md)):

${renderCauses(signatureRefusals)}

## Which tokens are meant for this API

A token with \`aud\` is accepted only if \`aud\` contains a value of \`AUTH_AUTHORIZED_PARTIES\`; its \`azp\` is ignored (RFC 7519,
4.1.3). A token without \`aud\`, such as a session token of Clerk, is accepted if its \`azp\` is one of the values. Values are
compared exactly, including case and a slash at the end.

## Afterwards

Correct the setting in the file of the environment, deploy, and check that the number of refusals falls. Refused tokens are
not cached: the same token is accepted as soon as the setting is correct.
`;
}

function renderCauses(table: Readonly<Record<string, { meaning: string; remedy: string }>>): string {
  return Object.entries(table)
    .map(([reason, { meaning, remedy }]) => `- \`${reason}\`: ${meaning} ${remedy}`)
    .join('\n');
}
