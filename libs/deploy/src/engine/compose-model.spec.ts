import { describe, expect, it } from '@jest/globals';
import { redactValues, withVariableFile } from './compose-model.js';

describe('redactValues', () => {
  it.each([
    ['line 3: unterminated quoted value "hunter2\nDSN=hunter3\n', 'line 3: unterminated quoted value [redacted]'],
    [
      'line 2: unexpected character "+" in variable name "SENTRY+DSN=hunter2"',
      'line 2: unexpected character "+" in variable name "SENTRY+DSN [redacted]',
    ],
    ['Invalid template: "${hunter2:bad}"', 'Invalid template: [redacted]'],
    ['line 2: key cannot contain a space', 'line 2: key cannot contain a space'],
  ])('shows the reason in "%s" but no value', (said, shown) => {
    expect(redactValues(said)).toBe(shown);
  });
});

describe('withVariableFile', () => {
  it.each(["edge'\nAPI_IMAGE='evil", 'edge\nAPI_IMAGE=evil', "it's"])(
    'lets no value of %j become another one',
    async (value) => {
      await expect(withVariableFile({ EDGE_NETWORK: value }, () => Promise.resolve('written'))).rejects.toThrow(
        'contains a quote or a line break; expected neither',
      );
    },
  );
});
