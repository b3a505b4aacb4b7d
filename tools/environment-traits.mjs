// Only one file compares names of environments: a list elsewhere might omit one, and give it rights that it must not
// have.
import { ENVIRONMENTS } from '../libs/config/src/values/environment.ts';

const TABLE = 'libs/config/src/values/environment.ts';
/** They list environments as test cases, and decide nothing. */
const MAY_NAME = ['**/*.spec.ts', '**/*.fixture.ts', '**/*.suite.ts', '**/suite/**', '**/testing/**', 'bench/**'];

const message = `Ask for a trait instead (traitsOf, environmentsWith): only ${TABLE} compares names of environments.`;

/**
 * Comparisons, cases, and lists that are searched for a name. A name as an argument, a value or a key of a table is
 * data.
 */
const noEnvironmentNames = {
  meta: { type: 'problem', schema: [], messages: { name: message } },
  create(context) {
    const judge = (...nodes) => nodes.filter(isName).forEach((node) => context.report({ node, messageId: 'name' }));
    return {
      'BinaryExpression[operator=/^[!=]==?$/]': ({ left, right }) => judge(left, right),
      SwitchCase: ({ test }) => judge(test),
      ArrayExpression: ({ elements }) => judge(...elements),
      'CallExpression[callee.property.name=/^(startsWith|endsWith|includes|indexOf|has|localeCompare)$/]': (call) =>
        judge(...call.arguments),
    };
  },
};

function isName(node) {
  if (/^TS(As|Satisfies)Expression$/.test(node?.type)) return isName(node.expression);
  const text = node?.type === 'TemplateLiteral' ? node.quasis.map(({ value }) => value.cooked).join('') : node?.value;
  return ENVIRONMENTS.includes(text);
}

/** For eslint.config.mjs. */
export const environmentTraits = [
  {
    files: ['**/*.{ts,mjs,js}'],
    ignores: [TABLE, ...MAY_NAME],
    plugins: { environments: { rules: { 'no-names': noEnvironmentNames } } },
    rules: { 'environments/no-names': 'error' },
  },
];
