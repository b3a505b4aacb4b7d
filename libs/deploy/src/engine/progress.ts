/** Shows progress: one line that is rewritten on a terminal, plain lines elsewhere. Never on stdout. */
export interface Progress {
  /** Starts a new step and ends the previous one. */
  readonly step: (text: string) => void;
  /** The state of the current step; printed only when it changes. */
  readonly detail: (text: string) => void;
  /** Information that is not a step. */
  readonly note: (text: string) => void;
  readonly end: (text: string) => void;
}

export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export function createProgress(terminal: Terminal, now: () => number = () => performance.now()): Progress {
  const start = now();
  let step = '';
  let last = '';
  const seconds = () => `${((now() - start) / 1_000).toFixed(1).padStart(6)} s`;
  const line = (text: string) => `${seconds()}  ${text}`;
  const clear = terminal.isTTY ? '\r\x1b[2K' : '';
  const print = (text: string) => {
    terminal.write(`${clear}${line(text)}\n`);
    last = '';
  };
  const finishStep = () => {
    if (terminal.isTTY && step !== '') print(step);
    step = '';
  };
  return {
    step(text) {
      finishStep();
      step = text;
      if (terminal.isTTY) terminal.write(`${clear}${line(text)}`);
      else print(text);
    },
    detail(text) {
      if (text === last) return;
      last = text;
      if (terminal.isTTY) terminal.write(`${clear}${line(`${step}: ${text}`).slice(0, (terminal.columns ?? 80) - 1)}`);
      else terminal.write(`${line(`  ${text}`)}\n`);
    },
    note: print,
    end(text) {
      finishStep();
      print(text);
    },
  };
}
