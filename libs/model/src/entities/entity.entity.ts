import { classify, json, person, personal } from '@airlock/database/model';
import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  PrimaryColumn,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';

/** Each row belongs to one user. Row-level security in the database isolates the users. */
@Entity({ name: 'entities', schema: 'public' })
@Check('entities_owner_id_length', `((char_length(owner_id) >= 1) AND (char_length(owner_id) <= 255))`)
@Check('entities_name_length', `((char_length(name) >= 1) AND (char_length(name) <= 200))`)
@Check('entities_attributes_object', `(jsonb_typeof(attributes) = 'object'::text)`)
@Check('entities_version_positive', `(version > 0)`)
@Index('entities_owner_id_created_at_id_idx', ['ownerId', 'createdAt', 'id'])
export class EntityRecord {
  @PrimaryColumn('uuid', { default: () => 'uuidv7()', primaryKeyConstraintName: 'entities_pkey' })
  id!: string;

  @Column('text', { name: 'owner_id' })
  ownerId!: string;

  @Column('text')
  name!: string;

  @Column('jsonb', { default: {} })
  attributes!: Record<string, unknown>;

  @VersionColumn({ default: 1 })
  version!: number;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}

export const entityClasses = classify<EntityRecord>('entities', {
  id: 'internal',
  owner_id: personal(person('user_')),
  name: personal('text'),
  attributes: personal(json()),
  version: 'internal',
  created_at: 'internal',
  updated_at: 'internal',
});
