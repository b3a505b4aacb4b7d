export { assertBudget } from './budget.js';
export { Health, type HealthAnswer, type Version } from './health.js';
export { Lifecycle } from './lifecycle.js';
export { HEALTH_PATHS, registerHealthRoutes } from './routes.js';
export { createShutdown, onLeaveSignals, shutDownOnSignals, type Shutdown } from './shutdown.js';
