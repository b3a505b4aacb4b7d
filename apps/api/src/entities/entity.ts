/** A row as the database gives it. */
export interface EntityRow {
  readonly id: string;
  readonly owner_id: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** What the API shows of it. */
export interface Entity {
  readonly id: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export function toEntity(row: EntityRow): Entity {
  return {
    id: row.id,
    name: row.name,
    attributes: row.attributes,
    version: row.version,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
