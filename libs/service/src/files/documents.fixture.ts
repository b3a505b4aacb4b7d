import { Body, Controller, Delete, Get, HttpCode, Module, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { UserId } from '../auth/user-id.decorator.js';
import { Database } from '../data/database.js';
import { Operation } from '../openapi/operation.js';
import { Problem } from '../problems/problem.js';
import { type FileRow, Files } from './files.js';
import { Received, type ReceivedFiles } from './received-files.decorator.js';

export const LARGEST = 1_000_000;
export const PDF = Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n');
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** The next step of the handler after it has received its files. */
export const faults: { next: 'none' | 'throw before' | 'roll back' | 'forget' | 'hang' } = { next: 'none' };

const fieldsSchema = z.strictObject({ title: z.string().min(1).max(20), pages: z.coerce.number().int().optional() });
const documentSchema = z
  .object({ id: z.uuid(), title: z.string(), mediaType: z.string(), bytes: z.number() })
  .meta({ id: 'Document' });
const files = {
  scan: { maxBytes: LARGEST, types: ['application/pdf', 'image/png'] },
  table: { maxBytes: 10_000, types: ['text/csv'], isOptional: true },
} as const;
type Row = FileRow & { id: string; title: string };

@Controller('documents')
class Documents {
  constructor(
    private readonly database: Database,
    private readonly files: Files,
  ) {}

  @Post()
  @Operation({ summary: 'Add a document', files, response: { status: 201, schema: documentSchema } })
  async add(
    @UserId() userId: string,
    @Body({ schema: fieldsSchema.meta({ id: 'DocumentFields' }) }) { title }: z.infer<typeof fieldsSchema>,
    @Received() { scan, table }: ReceivedFiles<'scan'> & Partial<ReceivedFiles<'table'>>,
  ) {
    const { next } = faults;
    if (next === 'throw before') throw new Problem('conflict');
    if (next === 'hang') await new Promise((resolve) => setTimeout(resolve, 3_000));
    return this.database.asUser(userId, async (tx) => {
      if (next !== 'forget') await this.files.keep(tx, scan);
      if (table) await this.files.keep(tx, table);
      const { key, name, mediaType, bytes } = scan;
      const [row] = await tx.query<{ id: string }[]>(
        'INSERT INTO public.documents (owner_id, title, key, name, media_type, bytes) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id',
        [userId, title, key, name, mediaType, bytes],
      );
      if (next === 'roll back') throw new Problem('conflict');
      return { id: row?.id, title, mediaType, bytes };
    });
  }

  @Get(':id/content')
  @Operation({ summary: 'Download a document', response: { status: 200, file: true }, problems: ['not-found'] })
  async download(@UserId() userId: string, @Param('id', { schema: z.uuid() }) id: string) {
    return this.files.open(await this.#find(userId, id));
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation({ summary: 'Remove a document', response: { status: 204 }, problems: ['not-found'] })
  async remove(@UserId() userId: string, @Param('id', { schema: z.uuid() }) id: string) {
    const row = await this.#find(userId, id);
    await this.database.asUser(userId, async (tx) => {
      await this.files.remove(tx, row);
      await tx.query('DELETE FROM public.documents WHERE id = $1', [id]);
    });
  }

  @Post('plain')
  @HttpCode(204)
  @Operation({ summary: 'Take JSON', response: { status: 204 } })
  plain(@Body({ schema: fieldsSchema }) body: object) {
    void body;
  }

  async #find(userId: string, id: string): Promise<Row> {
    const text = 'SELECT id, title, key, name, media_type AS "mediaType", bytes FROM public.documents WHERE id = $1';
    const [row] = await this.database.query<Row>({ name: 'find_document', text, values: [id], userId });
    if (!row) throw new Problem('not-found');
    return row;
  }
}

@Module({ controllers: [Documents] })
export class DocumentsModule {}

export async function createTable(run: (sql: string) => Promise<unknown>): Promise<void> {
  for (const sql of [
    `CREATE TABLE public.documents (id uuid DEFAULT uuidv7() PRIMARY KEY, owner_id text, title text, key text,
       name text, media_type text, bytes integer)`,
    `CREATE POLICY documents_owner ON public.documents USING (owner_id = current_setting('app.user_id', true))`,
    'ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY',
    'GRANT SELECT, INSERT, DELETE ON public.documents TO PUBLIC',
  ])
    await run(sql);
}
