// A reset in a separate process that ends by SIGKILL right after the given step.
import { LAYERS } from './layers.js';
import { runReset } from './run-reset.js';
import { sampleModel } from '@airlock/database/sample';

const [wanted, workspace = ''] = process.argv.slice(2);

await runReset(
  { variables: { ENVIRONMENT: 'testing' }, workspace, model: sampleModel },
  {
    layers: LAYERS,
    prepare: async () => {},
    onStep: (step) => {
      if (step === wanted) process.kill(process.pid, 'SIGKILL');
    },
  },
);
