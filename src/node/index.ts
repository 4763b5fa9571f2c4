/**
 * Schedulers.
 * @packageDocumentation
 */
export {};
