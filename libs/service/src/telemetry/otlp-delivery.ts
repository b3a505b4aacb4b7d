import { type ExportResult, ExportResultCode } from '@opentelemetry/core';

interface Exporter<Batch> {
  export(batch: Batch, done: (result: ExportResult) => void): void;
}

/** Tells once when what is sent no longer arrives, and once when it does again: nobody else would ever say so. */
export function noteDelivery<Batch, T extends Exporter<Batch>>(exporter: T, onChange: (isAway: boolean) => void): T {
  const send = exporter.export.bind(exporter);
  let isAway = false;
  exporter.export = (batch, done) =>
    send(batch, (result) => {
      const hasFailed = result.code !== ExportResultCode.SUCCESS;
      if (hasFailed !== isAway) onChange(hasFailed);
      isAway = hasFailed;
      done(result);
    });
  return exporter;
}
