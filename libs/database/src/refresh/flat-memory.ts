import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const LOOK_EVERY_MS = 20;
const MOST_GARBAGE_BYTES = 4 * 1024 ** 2;

/**
 * Rows become garbage as soon as they are written, and V8 leaves it until it needs the room: 150 MB of it. The settings of
 * V8 stay, so this is for a process that does nothing else.
 */
export async function withFlatMemory<T>(work: () => Promise<T>): Promise<T> {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let kept = countUsedBytes();
  let hasCollected = false;
  const timer = setInterval(() => {
    // The memory of buffers is released a moment later.
    if (hasCollected) kept = countUsedBytes();
    hasCollected = countUsedBytes() > kept + MOST_GARBAGE_BYTES;
    if (hasCollected) collect();
  }, LOOK_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

function countUsedBytes(): number {
  const { used_heap_size: heap, external_memory: outside } = getHeapStatistics();
  return heap + outside;
}
