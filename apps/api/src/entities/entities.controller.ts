import { Controller, Get } from '@nestjs/common';
import { EntitiesRepository } from './entities.repository.js';
import { type Entity, toEntity } from './entity.js';

const PAGE_SIZE = 50;

@Controller('entities')
export class EntitiesController {
  constructor(private readonly entities: EntitiesRepository) {}

  @Get()
  async list(): Promise<{ items: Entity[] }> {
    const rows = await this.entities.list('user_1', PAGE_SIZE);
    return { items: rows.map(toEntity) };
  }
}
