import ts from 'typescript';
import { spell } from './names.js';
import { findProperty, insert } from './syntax.js';

export const CONFIG = 'libs/config/src/load/create-config.ts';

export interface ConfigDraft {
  readonly text: string;
  /** Where the value is: `service.smtpUrl`. */
  readonly property: string;
}

/**
 * Adds a variable to the object that holds the others of its group, or to a new one.
 * @param siblings the names of the others
 */
export function addToConfig(
  source: string,
  { name, group, siblings }: { name: string; group: string; siblings: readonly string[] },
): ConfigDraft {
  const file = ts.createSourceFile(CONFIG, source, ts.ScriptTarget.Latest, true);
  const sections = findProperty(file, 'environment')?.parent.properties ?? [];
  const key = spell(name.toLowerCase().replaceAll('_', '-')).camel;
  const value = `${key}: v.${name}`;
  const isOfGroup = (text: string) => siblings.some((sibling) => new RegExp(`\\bv\\.${sibling}\\b`).test(text));
  for (const section of sections) {
    if (!ts.isPropertyAssignment(section) || !ts.isObjectLiteralExpression(section.initializer)) continue;
    if (!isOfGroup(section.getText(file))) continue;
    const at = section.initializer.properties.at(-1)?.end ?? section.initializer.end;
    return { property: `${section.name.getText(file)}.${key}`, text: insert(source, [{ at, text: `, ${value}` }]) };
  }
  const heading = spell(group.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')).camel;
  const at = sections.at(-1)?.end ?? source.length;
  return { property: `${heading}.${key}`, text: insert(source, [{ at, text: `, ${heading}: { ${value} }` }]) };
}
