import { createDocker } from '../engine/docker.js';
import { parseImageReference } from '../engine/image-reference.js';
import type { Stack } from '../render/render-stack.js';
import type { Settings } from './deploy-settings.js';
import { loadReleasePlan } from './release-plan.js';

/** The stack that a deploy of this image would pass to Swarm. Changes nothing. */
export async function loadStack(settings: Settings, image: string): Promise<Stack> {
  const docker = createDocker(settings.context);
  const { stack } = await loadReleasePlan(docker, { ...settings, image: parseImageReference(image) });
  return stack;
}
