export { assertBudget, SAFETY_MS, type ShutdownBudget } from './budget.js';
export { type Finding, Health, type HealthAnswer, type HealthOptions, type Indicator, type Version } from './health.js';
export { Lifecycle, type Phase } from './lifecycle.js';
export { OpenRequests } from './open-requests.js';
export { HEALTH_PATHS, registerHealthRoutes } from './routes.js';
export { createShutdown, onLeaveSignals, shutDownOnSignals, type Shutdown, type ShutdownOptions } from './shutdown.js';
