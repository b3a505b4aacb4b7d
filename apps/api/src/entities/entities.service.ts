import { type Page, Problem, type ReadCache, ReadCaches } from '@airlock/service';
import { Injectable } from '@nestjs/common';
import { EntitiesRepository, type EntityTarget, type Outcome } from './entities.repository.js';
import type { Entity, EntityChanges, EntityList, NewEntity } from './entity.schemas.js';

/** Rows and their cache, and the problems that are reported to callers. */
@Injectable()
export class EntitiesService {
  readonly #cache: ReadCache<Entity>;

  constructor(
    private readonly entities: EntitiesRepository,
    caches: ReadCaches,
  ) {
    this.#cache = caches.create<Entity>('entities', 1);
  }

  list(userId: string, request: EntityList): Promise<Page<Entity>> {
    return this.entities.list(userId, request);
  }

  async read(userId: string, id: string): Promise<Entity> {
    const entity = await this.#cache.read({ userId, id }, () => this.entities.find(userId, id));
    if (!entity) throw new Problem('not-found');
    return entity;
  }

  create(userId: string, entity: NewEntity): Promise<Entity> {
    return this.entities.create(userId, entity);
  }

  async update(target: EntityTarget, changes: EntityChanges): Promise<Entity> {
    return expectDone(await this.#cache.change(target, () => this.entities.update(target, changes)));
  }

  async delete(target: EntityTarget): Promise<void> {
    expectDone(await this.#cache.change(target, () => this.entities.delete(target)));
  }
}

function expectDone<T>(outcome: Outcome<T>): T {
  if (outcome === 'missing') throw new Problem('not-found');
  if (outcome === 'changed') throw new Problem('precondition-failed');
  return outcome;
}
