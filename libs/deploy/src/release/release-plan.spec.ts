import { describe, expect, it } from '@jest/globals';
import type { ComposeModel } from '../engine/compose-model.js';
import type { Fields } from '../engine/model-fields.js';
import { parseImageReference } from '../engine/image-reference.js';
import { createReleasePlan, listHttpServices } from './release-plan.js';
import { fingerprint } from './stack-file.js';

const image = parseImageReference(`registry.example.com/airlock@sha256:${'a'.repeat(64)}`);
const other = parseImageReference(`registry.example.com/airlock@sha256:${'b'.repeat(64)}`);

describe('createReleasePlan', () => {
  it('removes from the stack the job that other services wait for', () => {
    const plan = createPlan();
    expect(plan.releaseJob?.name).toBe('migrate');
    expect(Object.keys(plan.stack.services)).toEqual(['api', 'redis']);
    expect(plan.appServices).toEqual(['api']);
  });

  it('passes the digest to the services of the image only', () => {
    const { services } = createPlan().stack;
    expect(services['api']).toMatchObject({ environment: { ENVIRONMENT: 'staging', IMAGE_DIGEST: image.digest } });
    expect(services['redis']).toEqual({ image: 'redis:8' });
  });

  it('refuses an overlay of another environment', () => {
    expect(() => createPlan({ environment: { ENVIRONMENT: 'production' } })).toThrow(
      'services.api: ENVIRONMENT is "production"; expected "staging"',
    );
  });

  it('refuses a stack in which nothing runs the image', () => {
    expect(() => createPlan({ image: other.name })).toThrow(`services: none runs ${image.name}`);
  });

  it.each<[string, Fields, string]>([
    ['no update policy', {}, 'order: is "not set"; expected start-first'],
    [
      'an update policy that stops the old replica first',
      { order: 'stop-first', failure_action: 'rollback' },
      'order: is "stop-first"; expected',
    ],
    [
      'an update policy that pauses at a failure',
      { order: 'start-first', failure_action: 'pause' },
      'failure_action: is "pause"',
    ],
  ])('refuses an application with %s', (_what, update, problem) => {
    expect(() => createPlan({ deploy: { update_config: update } })).toThrow(
      `services.api.deploy.update_config.${problem}`,
    );
  });

  it.each(['redis', 'redis:latest', 'localhost:5000/redis'])('refuses the image %s', (name) => {
    expect(() => createPlan({}, { image: name })).toThrow(`services.redis: image ${name} can change between deploys`);
  });
});

describe('listHttpServices', () => {
  it.each<[string, Fields | undefined, string[]]>([
    ['a health check of the image', undefined, ['api']],
    ['the health check of the image, written out', { test: ['CMD', 'node', '/app/healthcheck.mjs'] }, ['api']],
    ['a health check that is disabled', { disable: true }, []],
    ['none', { test: ['NONE'] }, []],
    ['another health check', { test: ['CMD', 'test', '-f', '/tmp/alive'] }, []],
  ])('judges a service with %s', (_what, healthcheck, expected) => {
    const stack = { services: { api: healthcheck ? { healthcheck } : {} } };
    expect(listHttpServices({ appServices: ['api'], stack })).toEqual(expected);
  });

  it('must find one in every stack', () => {
    expect(() => createPlan({ healthcheck: { disable: true } })).toThrow(
      'services.api: has another health check than the image; expected one service that serves HTTP',
    );
  });
});

describe('fingerprint', () => {
  it('is the same for another image with the same configuration', () => {
    const print = (one: typeof image) => fingerprint(createPlan({ image: one.name }, {}, one).stack, one.name);
    expect(print(image)).toBe(print(other));
  });

  it('differs when one variable differs', () => {
    const environment = { ENVIRONMENT: 'staging', LOG_LEVEL: 'warn' };
    expect(fingerprint(createPlan({ environment }).stack, image.name)).not.toBe(
      fingerprint(createPlan().stack, image.name),
    );
  });
});

function createPlan(api: Fields = {}, redis: Fields = {}, wanted = image) {
  const environment = { ENVIRONMENT: 'staging' };
  const model: ComposeModel = {
    services: {
      api: {
        image: wanted.name,
        environment,
        deploy: { update_config: { order: 'start-first', failure_action: 'rollback' } },
        depends_on: {
          migrate: { condition: 'service_completed_successfully' },
          redis: { condition: 'service_healthy' },
        },
        ...api,
      },
      migrate: { image: wanted.name, environment },
      redis: { image: 'redis:8', ...redis },
    },
  };
  return createReleasePlan(model, {
    image: wanted,
    stackName: 'airlock-staging',
    environment: 'staging',
    versions: {},
  });
}
