import { describe, expect, it } from '@jest/globals';
import { answering } from '../engine/answering-docker.fixture.js';
import { parseImageReference } from '../engine/image-reference.js';
import { readImage, tagImage } from './image-registry.js';

// The answers are those of `docker buildx imagetools`; a real registry is in the suites (`make test-deploy`).
const DIGEST = `sha256:${'a'.repeat(64)}`;
const image = parseImageReference(`registry.example.com/airlock@${DIGEST}`);
const labelled = { config: { Labels: { 'org.opencontainers.image.revision': 'c0ffee' } } };

describe('readImage', () => {
  it.each([
    ['an image', labelled],
    ['an index of images', { 'linux/amd64': labelled, 'linux/arm64': labelled }],
  ])('reads digest and labels of %s', async (_what, config) => {
    const docker = answering({ stdout: JSON.stringify({ manifest: { digest: DIGEST }, image: config }) });
    expect(await readImage(docker, image.name)).toEqual({ digest: DIGEST, labels: labelled.config.Labels });
    expect(docker.asked).toEqual([`buildx imagetools inspect --format {{json .}} ${image.name}`]);
  });

  it.each([
    ['the image has none', { config: {} }],
    ['the tag names another artifact', null],
    ['an index holds attestations only', {}],
    ['a platform has no configuration', { 'unknown/unknown': null }],
  ])('reads no labels where %s', async (_what, config) => {
    const docker = answering({ stdout: JSON.stringify({ manifest: { digest: DIGEST }, image: config }) });
    expect(await readImage(docker, image.name)).toEqual({ digest: DIGEST, labels: {} });
  });

  it.each(['', 'WARNING: the configuration of the CLI is old\n'])(
    'tells an image that is not there, also before "%s"',
    async (warning) => {
      const docker = answering({ status: 1, stderr: `ERROR: ${image.name}: not found\n${warning}` });
      expect(await readImage(docker, image.name)).toBeUndefined();
    },
  );

  it('quotes the error, not a warning after it', async () => {
    const docker = answering({ status: 1, stderr: 'ERROR: connection refused\nWARNING: the CLI is old\n' });
    await expect(readImage(docker, image.name)).rejects.toThrow(/: connection refused$/m);
  });

  it.each(['', '{"manifest":{"dig', '{}', 'null'])('takes "%s" for no response', async (stdout) => {
    await expect(readImage(answering({ stdout }), image.name)).rejects.toThrow(
      `registry: no response for ${image.name}: the output of docker buildx is not complete`,
    );
  });

  it.each([
    'ERROR: failed to do request: Head "https://registry.example.com/v2/": dial tcp: connect: connection refused',
    'ERROR: failed to authorize: failed to fetch oauth token: 401 Unauthorized: token not found in header',
    'ERROR: unexpected status from HEAD request: 503 Service Unavailable',
    '',
  ])('takes no absence from "%s"', async (stderr) => {
    await expect(readImage(answering({ status: 1, stderr }), image.name)).rejects.toThrow(
      `registry: no response for ${image.name}: ${stderr.replace('ERROR: ', '')}`,
    );
  });

  it.each([
    "docker: 'buildx' is not a docker command.\nSee 'docker --help'",
    'docker: unknown command: docker buildx\n',
  ])('names the missing plugin of Docker where it says "%s"', async (stderr) => {
    await expect(readImage(answering({ status: 1, stderr }), image.name)).rejects.toThrow(
      /docker has no command buildx; expected its plugin\n {2}install the package docker-buildx-plugin/,
    );
  });
});

describe('tagImage', () => {
  it('copies the image as it is, and looks at the tag afterwards', async () => {
    const docker = answering({}, { stdout: JSON.stringify({ manifest: { digest: DIGEST } }) });
    await tagImage(docker, image, 'v1.0.0');
    expect(docker.asked).toEqual([
      `buildx imagetools create --progress=plain --prefer-index=false --tag registry.example.com/airlock:v1.0.0 ${image.name}`,
      'buildx imagetools inspect --format {{json .}} registry.example.com/airlock:v1.0.0',
    ]);
  });

  it('fails when the tag names another image afterwards, or could not be written', async () => {
    const other = answering({}, { stdout: JSON.stringify({ manifest: { digest: 'sha256:other' } }) });
    await expect(tagImage(other, image, 'latest')).rejects.toThrow(
      `the tag latest points to sha256:other; expected ${DIGEST}`,
    );
    const refused = answering({ status: 1, stderr: 'ERROR: denied: requested access to the resource is denied\n' });
    await expect(tagImage(refused, image, 'latest')).rejects.toThrow('requested access to the resource is denied');
  });
});
