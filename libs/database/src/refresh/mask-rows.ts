import { Transform, type TransformCallback } from 'node:stream';
import { COPY_NULL, decodeCopyText, encodeCopyText } from './copy-text.js';
import type { KnownFields } from './known-fields.js';
import type { ValueMask } from './masks/mask.js';
import { masksByPerson } from './masks/time-masks.js';
import type { ColumnPlan, TablePlan } from './plan-copy.js';
import { RefreshFailure } from './refresh-errors.js';

const NEWLINE = 10;
const FIELD_OF_NULL = 40;
/** Fewer questions to the server for a domain with checks. */
const BATCH_BYTES = 256 * 1024;
const MOST_ATTEMPTS = 50;

/** Asks the server which of the texts the type accepts. */
export type Accepts = (type: string, values: readonly string[]) => Promise<readonly boolean[]>;

interface MaskedColumn {
  readonly name: string;
  readonly type: string;
  /** Of its field in a row. */
  readonly place: number;
  readonly mask: ValueMask;
  readonly masksNulls: boolean;
  readonly hasEscapes: boolean;
  readonly dependsOnPerson: boolean;
  readonly isChecked: boolean;
  readonly known: KnownFields;
  /** Of a column whose type has checks: the masked fields of this batch that the server accepts. */
  readonly accepted: Map<string, string>;
}

/** Rows of a table in the text format of COPY go in, and rows of the copy come out: the read columns, then the fixed ones. */
export class MaskRows extends Transform {
  readonly #table: string;
  readonly #columns: readonly MaskedColumn[];
  readonly #checked: readonly MaskedColumn[];
  readonly #person: number;
  readonly #rowEnd: string;
  readonly #accepts: Accepts;
  readonly #onRows: (rows: number) => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;

  constructor(plan: TablePlan, { accepts, onRows }: { accepts: Accepts; onRows: (rows: number) => void }) {
    super();
    const names = listSourceColumns(plan);
    this.#table = plan.table;
    this.#columns = plan.columns.flatMap((column) => createColumn(column, names.indexOf(column.name)));
    this.#checked = this.#columns.filter(({ isChecked }) => isChecked);
    this.#person = plan.person === undefined ? -1 : names.indexOf(plan.person);
    const fixed = plan.columns.flatMap(({ treatment }) => (treatment.kind === 'fixed' ? [treatment.value] : []));
    this.#rowEnd = `${fixed.map((value) => `\t${encodeCopyText(value)}`).join('')}\n`.slice(names.length === 0 ? 1 : 0);
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
    // A view would keep the whole batch in memory.
    this.#waiting = end + 1 < all.length ? [Buffer.from(all.subarray(end + 1))] : [];
    this.#waitingBytes = all.length - end - 1;
    return end < 0 ? undefined : Buffer.from(await this.#maskAll(all.toString('utf8', 0, end).split('\n')));
  }

  async #maskAll(lines: readonly string[]): Promise<string> {
    if (this.#checked.length > 0) {
      const rows = lines.map((line) => line.split('\t'));
      for (const column of this.#checked) await this.#tryAll(column, rows);
    }
    let text = '';
    for (const line of lines) text += this.#maskRow(line);
    this.#onRows(lines.length);
    return text;
  }

  #maskRow(line: string): string {
    const row = line.split('\t');
    const person = this.#personOf(row);
    for (const column of this.#columns) {
      const field = row[column.place]!;
      if (field !== COPY_NULL) row[column.place] = this.#maskField(column, field, person);
      // The value that replaces NULL can depend only on the rest of its row.
      else if (column.masksNulls) row[column.place] = this.#mask(column, line.slice(0, FIELD_OF_NULL), person);
    }
    return row.join('\t') + this.#rowEnd;
  }

  #personOf(row: readonly string[]): string {
    return this.#person < 0 ? '' : row[this.#person]!;
  }

  #maskField(column: MaskedColumn, field: string, person: string): string {
    if (column.isChecked) return column.accepted.get(nameOf(column, field, person))!;
    if (column.dependsOnPerson) return this.#mask(column, field, person);
    const known = column.known.get(field);
    if (known !== undefined) return known;
    const masked = this.#mask(column, field, person);
    column.known.set(field, masked);
    return masked;
  }

  #mask({ name, mask, hasEscapes }: MaskedColumn, field: string, person: string, attempt = 0): string {
    try {
      const masked = mask(decodeCopyText(field), person, attempt);
      return hasEscapes ? encodeCopyText(masked) : masked;
    } catch (error) {
      // The cause may quote the value.
      throw new RefreshFailure(
        'MaskFailed',
        `${this.#table}.${name}: a value could not be masked (${(error as Error).name}); expected a mask that fits every value`,
      );
    }
  }

  /** Only the server can tell whether a domain accepts a value, so each batch of new ones is tried there first. */
  async #tryAll(column: MaskedColumn, rows: readonly (readonly string[])[]): Promise<void> {
    column.accepted.clear();
    const open = new Map<string, { field: string; person: string }>();
    for (const row of rows) {
      const [field, person] = [row[column.place]!, this.#personOf(row)];
      if (field !== COPY_NULL) open.set(nameOf(column, field, person), { field, person });
    }
    for (let attempt = 0; open.size > 0; attempt += 1) {
      if (attempt === MOST_ATTEMPTS)
        throw new RefreshFailure(
          'MaskFailed',
          `${this.#table}.${column.name}: no masked value of ${MOST_ATTEMPTS} passes the checks of ${column.type}; expected constant(…) or another mask`,
        );
      const tried = [...open].map(([name, of]) => ({
        name,
        masked: this.#mask(column, of.field, of.person, attempt),
      }));
      const accepted = await this.#accepts(
        column.type,
        tried.map(({ masked }) => decodeCopyText(masked)),
      );
      for (const [index, { name, masked }] of tried.entries())
        if (accepted[index]) {
          column.accepted.set(name, masked);
          open.delete(name);
        }
    }
  }
}

function createColumn({ name, facts, treatment }: ColumnPlan, place: number): MaskedColumn[] {
  if (treatment.kind !== 'mask') return [];
  const { mask, nulls, hasEscapes, known } = treatment;
  const { type, isChecked } = facts;
  const [masksNulls, dependsOnPerson] = [nulls === 'masked', masksByPerson(facts)];
  return [
    { ...{ name, type, place, mask, masksNulls, hasEscapes, dependsOnPerson, isChecked, known }, accepted: new Map() },
  ];
}

function nameOf({ dependsOnPerson }: MaskedColumn, field: string, person: string): string {
  return dependsOnPerson ? `${field}\t${person}` : field;
}

/** The columns that are read from the source: secret and fixed ones never leave it. */
export function listSourceColumns({ columns }: TablePlan): string[] {
  return columns.filter(({ treatment }) => treatment.kind !== 'fixed').map(({ name }) => name);
}

/** In the order in which they are written. */
export function listTargetColumns(plan: TablePlan): string[] {
  const fixed = plan.columns.filter(({ treatment }) => treatment.kind === 'fixed');
  return [...listSourceColumns(plan), ...fixed.map(({ name }) => name)];
}
