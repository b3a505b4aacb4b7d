import ts from 'typescript';
import { spell } from './resource-names.js';
import { AuthoringRefusal } from './refusal.js';
import { findProperty, insert } from './syntax.js';

export const CONFIG = 'libs/config/src/load/create-config.ts';

export interface ConfigDraft {
  readonly text: string;
  /** The path of the value in the config: `service.smtpUrl`. */
  readonly property: string;
}

/**
 * Adds a variable to the object with the other variables of its group, or to a new object.
 * @param siblings the names of the other variables
 */
export function addToConfig(
  source: string,
  { name, group, siblings }: { name: string; group: string; siblings: readonly string[] },
): ConfigDraft {
  const file = ts.createSourceFile(CONFIG, source, ts.ScriptTarget.Latest, true);
  const sections = findProperty(file, 'environment')?.parent.properties;
  if (!sections)
    throw new AuthoringRefusal(`${CONFIG}: has no object with a property \`environment\`; expected the config`);
  const key = spell(name.toLowerCase().replaceAll('_', '-')).camel;
  const value = `${key}: v.${name}`;
  const add = (properties: Properties, text: string) => {
    if (properties.some((property) => property.name?.getText(file) === key))
      throw new AuthoringRefusal(`${name}: the config already has a ${key}; expected another name`);
    return insert(source, [{ at: properties.at(-1)?.end ?? source.length, text: `, ${text}` }]);
  };
  const isOfGroup = (text: string) => siblings.some((sibling) => new RegExp(`\\bv\\.${sibling}\\b`).test(text));
  for (const section of sections) {
    if (!ts.isPropertyAssignment(section) || !ts.isObjectLiteralExpression(section.initializer)) continue;
    if (isOfGroup(section.getText(file)))
      return { property: `${section.name.getText(file)}.${key}`, text: add(section.initializer.properties, value) };
  }
  const heading = spell(group.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')).camel;
  const isTaken = sections.some((section) => section.name?.getText(file) === heading);
  return isTaken
    ? { property: key, text: add(sections, value) }
    : { property: `${heading}.${key}`, text: add(sections, `${heading}: { ${value} }`) };
}

type Properties = ts.NodeArray<ts.ObjectLiteralElementLike>;
