/**
 * Schedulers.
 * @packageDocumentation
 */
export { cooperativeScheduler, type CooperativeSchedulerOptions } from './cooperativeScheduler.js';
export { idleScheduler, type IdleSchedulerOptions } from './idleScheduler.js';
export { pacedScheduler, type PacedSchedulerOptions } from './pacedScheduler.js';
export { priorityScheduler } from './priorityScheduler.js';
export type { RateAlgorithm } from '../internal/limiter/LimitSettings.js';
