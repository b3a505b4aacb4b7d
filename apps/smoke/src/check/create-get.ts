/** A response with its whole body. */
export interface SmokeResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Throws if the body is not a JSON object. */
  json(): Record<string, unknown>;
}

export type Get = (
  path: string,
  init?: { method?: string; headers?: Record<string, string>; body?: string },
) => Promise<SmokeResponse>;

const TIMEOUT_MS = 10_000;

/** Every request is sent once, to this host only. */
export function createGet(url: string): Get {
  const base = url.replace(/\/$/, '');
  return async (path, init = {}) => {
    const response = await fetch(`${base}${path}`, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: () => parse(path, text) };
  };
}

function parse(path: string, text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new Error(`${path} returned ${JSON.stringify(text.slice(0, 80))}; expected JSON`);
  }
}
