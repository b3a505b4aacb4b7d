import { get as getHttp } from 'node:http';
import { get as getHttps, type RequestOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

export interface PublicQuestion {
  readonly url: string;
  /** The digest that /version must return. */
  readonly digest: string;
  readonly limitMs: number;
  /** False if the edge has certificates of an untrusted authority by design, as on a preview host. */
  readonly verifiesCertificate: boolean;
  readonly signal?: AbortSignal | undefined;
}

const POLL_MS = 1_000;
const REQUEST_MS = 5_000;

/**
 * Asks the public address as a client does: through DNS, the edge and its routes. A replica that responds inside the
 * network proves nothing about these. Returns undefined once the address is ready with the digest, else the last
 * problem.
 */
export async function findPublicProblem(question: PublicQuestion): Promise<string | undefined> {
  const end = performance.now() + question.limitMs;
  for (;;) {
    question.signal?.throwIfAborted();
    const problem = await ask(question);
    if (problem === undefined || performance.now() + POLL_MS > end) return problem;
    await sleep(POLL_MS);
  }
}

async function ask(question: PublicQuestion): Promise<string | undefined> {
  try {
    const [ready, version] = [await fetchOnce(question, '/readyz'), await fetchOnce(question, '/version')];
    if (ready.status !== 200) return `/readyz returns ${ready.status}`;
    const digest = readDigest(version);
    return digest === question.digest
      ? undefined
      : `/version returns ${digest ?? `no digest (status ${version.status})`}`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return `no response (${code ?? message})`;
  }
}

interface Response {
  readonly status: number;
  readonly body: string;
}

function readDigest({ status, body }: Response): string | undefined {
  try {
    const { digest } = JSON.parse(body) as { digest?: unknown };
    return status === 200 && typeof digest === 'string' ? digest : undefined;
  } catch {
    return undefined; // A page of the edge, not a response of the API.
  }
}

/** `fetch` cannot accept one untrusted certificate without accepting all of them in the process. */
function fetchOnce({ url, verifiesCertificate }: PublicQuestion, path: string): Promise<Response> {
  const { protocol, hostname, port } = new URL(url);
  const options: RequestOptions = {
    host: hostname,
    port,
    path,
    agent: false,
    headers: { host: new URL(url).host },
    timeout: REQUEST_MS,
    rejectUnauthorized: verifiesCertificate,
    // RFC 6761 reserves .localhost for this machine, but not every resolver knows it.
    ...(hostname.endsWith('.localhost') && { host: '127.0.0.1', servername: hostname }),
  };
  return new Promise((resolve, reject) => {
    const request = (protocol === 'https:' ? getHttps : getHttp)(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body })).on('error', reject);
    });
    request
      .on('timeout', () => request.destroy(new Error(`no response in ${REQUEST_MS / 1_000} s`)))
      .on('error', reject);
  });
}
