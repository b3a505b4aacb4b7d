import { refusals } from '../failures/token-refusal.js';

/** The runbook for callers that get a 401: each cause that the access log names. */
export function renderRefusalPage(): string {
  const causes = Object.entries(refusals).map(
    ([reason, { meaning, remedy }]) => `- \`${reason}\`: ${meaning} ${remedy}`,
  );
  return `# Refused tokens

Callers get 401 \`unauthenticated\`. The answer names no cause; the access line of the request does, in every environment:
\`auth_refusal\` is a cause of the list below, \`auth_claim\` the claim or header parameter that was judged, and \`auth_seconds\`
by how much \`exp\` or \`nbf\` misses the present. No line holds a token or the value of a claim.

## First minute

\`\`\`sh
docker service logs --since 15m airlock-production_api 2>&1 | grep -o '"auth_refusal":"[a-z-]*"' | sort | uniq -c
\`\`\`

One cause for all callers is a setting of this service or a change at the issuer. Several causes in small numbers are
ordinary: tokens expire, and strangers try.

## Causes

${causes.join('\n')}

## Who a token is meant for

A token with \`aud\` is accepted only if \`aud\` contains a value of \`AUTH_AUTHORIZED_PARTIES\`, whatever its \`azp\` says (RFC 7519,
4.1.3). A token without \`aud\`, such as a session token of Clerk, is accepted if its \`azp\` is one of the values. Values are
compared exactly: case and a slash at the end count.

## Afterwards

Correct the setting in the file of the environment, deploy, and watch the count go down. Tokens that were refused are not
remembered: the same token is accepted as soon as the setting fits.
`;
}
