import { get as getHttp } from 'node:http';
import { get as getHttps, type RequestOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

export interface PublicQuestion {
  readonly url: string;
  /** The digest that must answer. */
  readonly digest: string;
  readonly limitMs: number;
  /** False where the edge has certificates of an untrusted authority by design, as on a preview host. */
  readonly verifiesCertificate: boolean;
  readonly signal?: AbortSignal | undefined;
}

const POLL_MS = 1_000;
const REQUEST_MS = 5_000;

/**
 * Asks the public address, as a client does: by its name, through DNS, the edge and its routes. Replicas that answer
 * from inside prove nothing about those. Returns undefined once it is ready with the digest, or what it answered last.
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
    if (ready.status !== 200) return `/readyz answers ${ready.status}`;
    const digest = readDigest(version);
    return digest === question.digest ? undefined : `/version shows ${digest ?? `no digest (${version.status})`}`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return `it does not answer (${code ?? message})`;
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
    return undefined; // A page of the edge, not an answer of the API.
  }
}

/** Not `fetch`, which cannot be told to accept one certificate without accepting all in the process. */
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
    // This machine (RFC 6761), which not every resolver knows.
    ...(hostname.endsWith('.localhost') && { host: '127.0.0.1', servername: hostname }),
  };
  return new Promise((resolve, reject) => {
    const request = (protocol === 'https:' ? getHttps : getHttp)(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body })).on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`no answer in ${REQUEST_MS / 1_000} s`))).on('error', reject);
  });
}
