import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answering } from '../engine/answering-docker.fixture.js';
import { EXIT } from '../engine/deploy-error.js';
import { parseImageReference } from '../engine/image-reference.js';
import { createProgress } from '../engine/progress.js';
import { previewUp } from '../preview/up.js';
import { loadReleasePlan } from './release-plan.js';

const image = parseImageReference(`registry.example.com/airlock@sha256:${'1'.repeat(64)}`);

describe('a settings file with a misspelt name', () => {
  let folder: string;
  let sources: { files: string[]; envFiles: string[] };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'airlock-settings-'));
    sources = { files: [join(folder, 'compose.yml')], envFiles: [join(folder, 'settings.env')] };
    writeFileSync(join(folder, 'compose.yml'), 'services: { api: { environment: { WORKERS: "${WORKERS:-1}" } } }\n');
    writeFileSync(join(folder, 'settings.env'), 'PREVIEW_DOMAIN=preview.example.com\nWORKRES=8\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const refusal = {
    message: expect.stringMatching(/settings\.env:2: sets WORKRES, .*; expected WORKERS\n {2}correct or remove/),
    exitCode: EXIT.refused,
  };

  it('is refused by a deploy before Docker is called', async () => {
    const docker = answering();
    const options = { ...sources, image, stackName: 'airlock-staging', environment: 'staging' };
    await expect(loadReleasePlan(docker, options)).rejects.toMatchObject(refusal);
    expect(docker.asked).toEqual([]);
  });

  it('is refused by a preview before Docker is called', async () => {
    const docker = answering();
    const names = { prefix: 'airlock-preview', edgeNetwork: 'airlock-edge_edge', domain: undefined };
    const request = { ...sources, ...names, image, number: 42, lifetimeMs: 1, edgeTimeoutMs: 1 };
    const progress = createProgress({ write: () => undefined });
    await expect(previewUp(docker, { ...request, progress })).rejects.toMatchObject(refusal);
    expect(docker.asked).toEqual([]);
  });
});
