import { type ExportResult, ExportResultCode } from '@opentelemetry/core';

interface Exporter<Batch> {
  export(batch: Batch, done: (result: ExportResult) => void): void;
}

/** Reports when exports begin to fail and when they succeed again. OpenTelemetry itself does not report it. */
export function watchDelivery<Batch, T extends Exporter<Batch>>(
  exporter: T,
  onChange: (isUnavailable: boolean) => void,
): T {
  const send = exporter.export.bind(exporter);
  let isUnavailable = false;
  exporter.export = (batch, done) =>
    send(batch, (result) => {
      const hasFailed = result.code !== ExportResultCode.SUCCESS;
      if (hasFailed !== isUnavailable) onChange(hasFailed);
      isUnavailable = hasFailed;
      done(result);
    });
  return exporter;
}
