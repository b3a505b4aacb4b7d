import { describe, expect, it } from '@jest/globals';
import { createSecurityHeaders } from './security-headers.js';

describe('createSecurityHeaders', () => {
  it.each(['production', 'staging'] as const)('binds browsers to TLS in %s', (environment) => {
    expect(createSecurityHeaders(environment)['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
  });

  it.each(['development', 'testing', 'preview'] as const)('leaves plain HTTP usable in %s', (environment) => {
    expect(createSecurityHeaders(environment)).not.toHaveProperty('strict-transport-security');
  });
});
