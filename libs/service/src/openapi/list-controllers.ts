import type { DynamicModule, Type } from '@nestjs/common';
import { MODULE_METADATA } from '@nestjs/common/constants.js';

type Imported = Type | DynamicModule | LaterImport;
/** The result of Nest's `forwardRef`. */
interface LaterImport {
  forwardRef(): Imported;
}

/** The controllers of a Nest module and of every module that it imports, each once, in the order of the imports. */
export function listControllers(module: Imported, seen = new Set<Imported>()): Type[] {
  if ('forwardRef' in module) return listControllers(module.forwardRef(), seen);
  const [type, dynamic] = 'module' in module ? [module.module, module] : [module, undefined];
  if (seen.has(module)) return [];
  seen.add(module).add(type);
  const imports = [...read<Imported>(type, MODULE_METADATA.IMPORTS), ...((dynamic?.imports ?? []) as Imported[])];
  const own = [...read<Type>(type, MODULE_METADATA.CONTROLLERS), ...(dynamic?.controllers ?? [])];
  return [...new Set([...imports.flatMap((one) => listControllers(one, seen)), ...own])];
}

function read<T>(module: Type, key: string): readonly T[] {
  return (Reflect.getMetadata(key, module) as readonly T[] | undefined) ?? [];
}
