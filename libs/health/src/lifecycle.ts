/** The phase of a process. It only moves forward. */
export type Phase = 'starting' | 'serving' | 'draining';

export class Lifecycle {
  #phase: Phase = 'starting';
  readonly #onDrain: (() => void)[] = [];

  get phase(): Phase {
    return this.#phase;
  }

  get isDraining(): boolean {
    return this.#phase === 'draining';
  }

  serve(): void {
    if (this.#phase === 'starting') this.#phase = 'serving';
  }

  /** Queue consumers and timers that must not start new work stop here. Requests are still served. */
  drain(): void {
    if (this.isDraining) return;
    this.#phase = 'draining';
    for (const listener of this.#onDrain) listener();
  }

  onDrain(listener: () => void): void {
    this.#onDrain.push(listener);
  }
}
