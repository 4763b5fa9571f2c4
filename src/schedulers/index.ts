/**
 * Schedulers.
 * @packageDocumentation
 */
export { cooperativeScheduler, type CooperativeSchedulerOptions } from './cooperativeScheduler.js';
