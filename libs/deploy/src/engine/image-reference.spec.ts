import { describe, expect, it } from '@jest/globals';
import { parseImageReference } from './image-reference.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('parseImageReference', () => {
  it.each(['registry.example.com/airlock', 'localhost:5000/team/airlock', '127.0.0.1:5000/a', 'registry:5000/a'])(
    'accepts %s by digest',
    (name) => {
      const image = parseImageReference(`${name}@${DIGEST}`);
      expect(`${image.registry}/${image.repository}@${image.digest}`).toBe(image.name);
    },
  );

  it.each([
    'airlock',
    'airlock:latest',
    'registry.example.com/airlock:v1',
    `airlock@${DIGEST}`,
    `team/airlock@${DIGEST}`,
    `registry.example.com/airlock:v1@${DIGEST}`,
    `registry.example.com/Airlock@${DIGEST}`,
    'registry.example.com/airlock@sha256:abc',
    `registry.example.com/airlock@sha512:${'a'.repeat(64)}`,
    `registry.example.com/air'lock@${DIGEST}`,
    `registry.example.com/airlock@${DIGEST}\n`,
    `--help/x@${DIGEST}`,
  ])('refuses %j', (text) => {
    expect(() => parseImageReference(text)).toThrow('does not name an image by digest; expected');
  });
});
