import type { Fields } from '../engine/model-fields.js';
import type { RenderProblem } from './render-problem.js';

/**
 * Swarm ignores `tmpfs: [/tmp]` in a stack file, and with a read-only root the service cannot write. The long form of a
 * mount works, and so does a mount on /dev/shm instead of shm_size.
 */
export function createTmpfsMounts(
  where: string,
  service: { tmpfs?: readonly string[]; shm_size?: string },
): { mounts: Fields[]; problems: RenderProblem[] } {
  const asked = [
    ...(service.tmpfs ?? []),
    ...(service.shm_size === undefined ? [] : [`/dev/shm:size=${service.shm_size}`]),
  ];
  const parsed = asked.map((text) => parseTmpfs(text));
  return {
    mounts: parsed.flatMap(({ mount }) => (mount ? [mount] : [])),
    problems: parsed.flatMap(({ problem }) => (problem ? [{ where: `${where}.tmpfs`, problem }] : [])),
  };
}

/** PATH or PATH:size=64m,mode=1777. Swarm's mode is always 1777. */
function parseTmpfs(text: string): { mount?: Fields; problem?: string } {
  const [target = '', options = ''] = text.split(':');
  const mount: Fields = { type: 'tmpfs', target };
  for (const option of options.split(',').filter((one) => one !== '' && one !== 'mode=1777')) {
    const [, size] = /^size=(\d+[kmg]?)$/i.exec(option) ?? [];
    if (size === undefined)
      return { problem: `Swarm does not support the mount option ${option}; expected size=… or mode=1777` };
    mount['tmpfs'] = { size: parseSize(size) };
  }
  return { mount };
}

function parseSize(text: string): number {
  const units: Record<string, number> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
  return Number.parseInt(text, 10) * (units[text.slice(-1).toLowerCase()] ?? 1);
}
