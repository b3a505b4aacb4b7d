/** Run with service-address.mjs: prints the problems of each address in each environment, as JSON. */
import { ENVIRONMENTS } from '@airlock/config';
import { inspectConfig } from '@airlock/config/loading';
import { goodEnvironments } from '@airlock/config/testing';

const judge = (text: string) =>
  ENVIRONMENTS.map((environment) => {
    const env = { ...goodEnvironments[environment], PAYMENTS_URL: text, PRIVATE_NETWORKS: '10.0.0.0/8' };
    const { violations } = inspectConfig({ env, files: false });
    return [environment, violations.map(({ name, problem }) => `${name}: ${problem}`)];
  });

const texts = [
  'fake:',
  'https://api.payments.example',
  'http://10.0.0.7',
  'http://api.payments.example',
  'FAKE:',
  'fake:x',
  'ftp://a.example',
];
console.log(JSON.stringify(Object.fromEntries(texts.map((text) => [text, Object.fromEntries(judge(text)) as object]))));
