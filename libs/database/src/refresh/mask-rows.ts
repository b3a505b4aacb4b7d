import { Transform, type TransformCallback } from 'node:stream';
import { COPY_NULL, decodeCopyText, encodeCopyText } from './copy-text.js';
import { KnownFields } from './known-fields.js';
import type { ColumnPlan, TablePlan } from './plan-copy.js';
import { RefreshFailure } from './refresh-errors.js';

const NEWLINE = 10;
const FIELD_OF_NULL = 40;
/** Fewer questions to the server for a domain with checks. */
const BATCH_BYTES = 256 * 1024;
const MOST_ATTEMPTS = 50;

/** Asks the server which of the texts the type accepts. */
export type Accepts = (type: string, values: readonly string[]) => Promise<readonly boolean[]>;

interface Column extends ColumnPlan {
  readonly source: number;
  readonly known: KnownFields;
  /** Of a column whose type has checks: the masked fields of this batch that the server accepts. */
  readonly accepted: Map<string, string>;
}

/** Rows of a table in the text format of COPY go in, and rows of the copy come out. */
export class MaskRows extends Transform {
  readonly #table: string;
  readonly #columns: readonly Column[];
  readonly #checked: readonly Column[];
  readonly #person: number;
  readonly #accepts: Accepts;
  readonly #onRows: (rows: number) => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;

  constructor(plan: TablePlan, { accepts, onRows }: { accepts: Accepts; onRows: (rows: number) => void }) {
    super();
    const names = listSourceColumns(plan);
    this.#table = plan.table;
    this.#columns = plan.columns.map((column) => ({
      ...column,
      source: names.indexOf(column.name),
      known: new KnownFields(),
      accepted: new Map(),
    }));
    this.#checked = this.#columns.filter(({ treatment, facts }) => treatment.kind === 'mask' && facts.isChecked);
    this.#person = plan.person === undefined ? -1 : names.indexOf(plan.person);
    this.#accepts = accepts;
    this.#onRows = onRows;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#checked.length > 0 && this.#waitingBytes < BATCH_BYTES) return done();
    this.#maskWaiting().then((text) => done(null, text), done);
  }

  override _flush(done: TransformCallback): void {
    this.#maskWaiting().then(
      (text) => (this.#waitingBytes === 0 ? done(null, text) : done(new Error('the last row has no end'))),
      done,
    );
  }

  async #maskWaiting(): Promise<Buffer | undefined> {
    const all = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting);
    // A newline in a value is escaped, so this byte always ends a row.
    const end = all.lastIndexOf(NEWLINE);
    this.#waiting = end + 1 < all.length ? [all.subarray(end + 1)] : [];
    this.#waitingBytes = all.length - end - 1;
    return end < 0 ? undefined : Buffer.from(await this.#maskAll(all.toString('utf8', 0, end).split('\n')));
  }

  async #maskAll(lines: readonly string[]): Promise<string> {
    const rows = lines.map((line) => line.split('\t'));
    for (const column of this.#checked) await this.#tryAll(column, rows);
    let text = '';
    for (const [index, row] of rows.entries()) text += `${this.#maskRow(row, lines[index]!)}\n`;
    this.#onRows(rows.length);
    return text;
  }

  #maskRow(row: readonly string[], line: string): string {
    let text = '';
    for (const [index, column] of this.#columns.entries()) {
      if (index > 0) text += '\t';
      const { treatment, source } = column;
      if (treatment.kind === 'fixed') text += encodeCopyText(treatment.value);
      else if (treatment.kind === 'keep') text += row[source]!;
      else text += this.#maskField(column, { row, line });
    }
    return text;
  }

  #maskField(column: Column, { row, line }: { row: readonly string[]; line: string }): string {
    const field = row[column.source]!;
    if (column.treatment.kind !== 'mask') return field;
    const isNull = field === COPY_NULL;
    if (isNull && column.treatment.nulls === 'kept') return field;
    const name = this.#nameOf(field, row);
    // The value that replaces NULL can depend only on the rest of its row.
    if (isNull) return this.#mask(column, line.slice(0, FIELD_OF_NULL), row, 0);
    const known = column.accepted.get(name) ?? column.known.get(name);
    if (known !== undefined) return known;
    const masked = this.#mask(column, field, row, 0);
    column.known.set(name, masked);
    return masked;
  }

  /** The shift of a date depends on the person too. */
  #nameOf(field: string, row: readonly string[]): string {
    return this.#person < 0 ? field : `${field}\t${row[this.#person]!}`;
  }

  #mask({ name, treatment }: Column, field: string, row: readonly string[], attempt: number): string {
    if (treatment.kind !== 'mask') return field;
    try {
      const person = this.#person < 0 ? '' : row[this.#person]!;
      return encodeCopyText(treatment.mask({ value: decodeCopyText(field), person, attempt }));
    } catch (error) {
      // The cause may quote the value.
      throw new RefreshFailure(
        'MaskFailed',
        `${this.#table}.${name}: a value could not be masked (${(error as Error).name}); expected a mask that fits every value`,
      );
    }
  }

  /** Only the server can tell whether a domain accepts a value, so each batch of new ones is tried there first. */
  async #tryAll(column: Column, rows: readonly (readonly string[])[]): Promise<void> {
    column.accepted.clear();
    let open = new Map<string, readonly string[]>();
    for (const row of rows) {
      const field = row[column.source]!;
      if (field !== COPY_NULL) open.set(this.#nameOf(field, row), row);
    }
    for (let attempt = 0; open.size > 0; attempt += 1) {
      if (attempt === MOST_ATTEMPTS)
        throw new RefreshFailure(
          'MaskFailed',
          `${this.#table}.${column.name}: no masked value of ${MOST_ATTEMPTS} passes the checks of ${column.facts.type}; expected constant(…) or another mask`,
        );
      const tried = [...open].map(([name, row]) => ({
        name,
        row,
        field: this.#mask(column, row[column.source]!, row, attempt),
      }));
      const accepted = await this.#accepts(
        column.facts.type,
        tried.map(({ field }) => decodeCopyText(field)),
      );
      for (const [index, { name, field }] of tried.entries()) if (accepted[index]) column.accepted.set(name, field);
      open = new Map(tried.filter((_, index) => !accepted[index]).map(({ name, row }) => [name, row]));
    }
  }
}

/** The columns that are read from the source: secret and fixed ones never leave it. */
export function listSourceColumns({ columns }: TablePlan): string[] {
  return columns.filter(({ treatment }) => treatment.kind !== 'fixed').map(({ name }) => name);
}
