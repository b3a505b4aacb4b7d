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
import { classify, json, person, personal } from '../model/column-classes.js';

/** Each row belongs to one user, and row-level security shows it to no other. */
@Entity({ name: 'parcels', schema: 'public' })
@Check('parcels_owner_id_length', `((char_length(owner_id) >= 1) AND (char_length(owner_id) <= 255))`)
@Check('parcels_name_length', `((char_length(name) >= 1) AND (char_length(name) <= 200))`)
@Check('parcels_attributes_object', `(jsonb_typeof(attributes) = 'object'::text)`)
@Check('parcels_version_positive', `(version > 0)`)
@Index('parcels_owner_id_created_at_id_idx', ['ownerId', 'createdAt', 'id'])
export class Parcel {
  @PrimaryColumn('uuid', { default: () => 'uuidv7()', primaryKeyConstraintName: 'parcels_pkey' })
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

export const parcelClasses = classify<Parcel>('parcels', {
  id: 'internal',
  owner_id: personal(person('user_')),
  name: personal('text'),
  attributes: personal(json()),
  version: 'internal',
  created_at: 'internal',
  updated_at: 'internal',
});
