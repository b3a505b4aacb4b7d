/** A figure is a result too: one line for each, on stderr, where it is seen whether the test passes or not. */
export function report(what: string, figures: object): void {
  process.stderr.write(`\n  ${what}: ${JSON.stringify(figures)}\n`);
}
