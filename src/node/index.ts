/**
 * Node's streams and files.
 * @packageDocumentation
 */
export { WritableEndedError } from '../errors/WritableEndedError.js';
export { fromReadable } from './fromReadable.js';
export { readJsonLines } from './readJsonLines.js';
export { toNodeReadable, type ToNodeReadableOptions } from './toNodeReadable.js';
export { writeTo, type WriteToOptions } from './writeTo.js';
export { createShutdown, type ProcessShutdownOptions } from './createShutdown.js';
export { processSignals } from './processSignals.js';
