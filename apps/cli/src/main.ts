import { ENVIRONMENTS } from '@airlock/config';
console.log(ENVIRONMENTS.join(' '));
