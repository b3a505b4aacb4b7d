export { assertBudget } from './budget.js';
export { Health, type HealthResponse, type Version } from './health.js';
export { Lifecycle } from './lifecycle.js';
export { HEALTH_PATHS, registerHealthRoutes } from './routes.js';
export { createShutdown, onStopSignals, shutDownOnSignals, type Shutdown } from './shutdown.js';
