const REPORT_EVERY_MS = 1000;

export interface RowProgress {
  readonly table: string;
  readonly rows: number;
  /** From the statistics of the source; 0 if it has none. */
  readonly expectedRows: number;
  readonly rowsPerSecond: number;
  readonly secondsLeft: number | undefined;
}

export type OnProgress = (progress: RowProgress) => void;

/** @returns a function that counts copied rows and reports at most once a second */
export function countRows(
  expectedRows: number,
  onProgress: OnProgress = () => {},
): (table: string, rows: number) => void {
  const startedAt = performance.now();
  let [reportedAt, rows] = [startedAt, 0];
  return (table, count) => {
    rows += count;
    const now = performance.now();
    if (now - reportedAt < REPORT_EVERY_MS) return;
    reportedAt = now;
    const rowsPerSecond = Math.round((rows * 1000) / (now - startedAt));
    const secondsLeft =
      expectedRows > rows && rowsPerSecond > 0 ? Math.ceil((expectedRows - rows) / rowsPerSecond) : undefined;
    onProgress({ table, rows, expectedRows, rowsPerSecond, secondsLeft });
  };
}
