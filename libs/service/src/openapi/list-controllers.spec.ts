import { Controller, type DynamicModule, forwardRef, Module } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { listControllers } from './list-controllers.js';

@Controller()
class Parcels {}
@Controller()
class Labels {}
@Controller()
class Rates {}
@Controller()
class Prices {}

@Module({ controllers: [Labels] })
class LabelsModule {}
@Module({ controllers: [Parcels], imports: [LabelsModule, forwardRef(() => Circular)] })
class ParcelsModule {}
@Module({ imports: [ParcelsModule] })
class Circular {}
@Module({ controllers: [Rates] })
class RatesModule {}

describe('listControllers', () => {
  it('lists those of imported modules, each once, also of a module that is imported twice or in a circle', () => {
    @Module({ imports: [LabelsModule, ParcelsModule] })
    class App {}
    expect(listControllers(App)).toEqual([Labels, Parcels]);
  });

  it('lists those of a dynamic module', () => {
    @Module({ imports: [{ module: RatesModule, imports: [LabelsModule], controllers: [Prices] }] })
    class App {}
    expect(listControllers(App)).toEqual([Labels, Rates, Prices]);
  });

  it('ends with dynamic modules that import each other', () => {
    const one: DynamicModule = { module: RatesModule, imports: [forwardRef(() => other)] };
    const other: DynamicModule = { module: LabelsModule, imports: [one] };
    expect(listControllers(one)).toEqual([Labels, Rates]);
  });

  it('lists nothing where there is nothing', () => {
    @Module({})
    class App {}
    expect(listControllers(App)).toEqual([]);
  });
});
