import type { Received } from './receiver.fixture.js';

type Values = Readonly<Record<string, unknown>>;

interface Attribute {
  readonly key: string;
  readonly value: Values;
}

interface Resource {
  readonly attributes: readonly Attribute[];
}

interface WireSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
}

interface Point {
  readonly attributes: readonly Attribute[];
}

interface Traces {
  readonly resourceSpans: readonly {
    readonly resource: Resource;
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

interface Metrics {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly { readonly metrics: readonly (Values & { readonly name: string })[] }[];
  }[];
}

export type SentSpan = Omit<WireSpan, 'attributes'> & { readonly attributes: Values; readonly resource: Values };

/** The spans that an OTLP receiver got, in the order in which they began. */
export function readSpans(received: readonly Received[]): SentSpan[] {
  const spans = readBodies<Traces>(received, '/v1/traces').flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans).map((span) => describe(span, resource)),
    ),
  );
  return spans.sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));
}

/** The attributes of each point, by the name of its metric. */
export function readMetrics(received: readonly Received[]): Map<string, Values[]> {
  const metrics = readBodies<Metrics>(received, '/v1/metrics').flatMap(({ resourceMetrics }) =>
    resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics),
  );
  return new Map(
    metrics.map(({ name, ...kinds }) => [name, readPoints(kinds).map(({ attributes }) => toRecord(attributes))]),
  );
}

function readPoints(kinds: Values): Point[] {
  return Object.values(kinds).flatMap((kind) =>
    typeof kind === 'object' && kind !== null && 'dataPoints' in kind ? (kind.dataPoints as Point[]) : [],
  );
}

function readBodies<T>(received: readonly Received[], path: string): T[] {
  return received.filter((request) => request.path === path).map(({ body }) => JSON.parse(body) as T);
}

function describe(span: WireSpan, resource: Resource): SentSpan {
  return { ...span, attributes: toRecord(span.attributes), resource: toRecord(resource.attributes) };
}

function toRecord(attributes: readonly Attribute[] = []): Values {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
