// Shared by the benches: medians, and one line per figure.

/** Runs `work` `count` times. @returns the durations in milliseconds, sorted */
export async function measure(count, work) {
  const durations = [];
  for (let index = 0; index < count; index += 1) {
    const start = performance.now();
    await work(index);
    durations.push(performance.now() - start);
  }
  return durations.sort((a, b) => a - b);
}

export function median(sorted) {
  return sorted[Math.floor(sorted.length / 2)];
}

/** `name  median [p10–p90] ms (n)` */
export function report(name, sorted) {
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(2);
  console.log(
    `${name.padEnd(52)} ${median(sorted).toFixed(2).padStart(9)} ms  [${at(0.1)}–${at(0.9)}]  n=${sorted.length}`,
  );
  return median(sorted);
}

export function reportRatio(name, value, target) {
  console.log(`${name.padEnd(52)} ${value.toFixed(2).padStart(9)} ×   target ${target}`);
}
