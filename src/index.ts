/**
 * The flow control that RxJS lacks.
 * @packageDocumentation
 */
export { BufferOverflowError } from './errors/BufferOverflowError.js';
export { SourceConsumedError } from './errors/SourceConsumedError.js';
export type { Pullable, PullStream } from './internal/puller.js';
export type { WorkContext } from './internal/workContext.js';
export type { CleanupScope, Gate } from './link/protocol.js';
export { findCleanupScope, findGate } from './link/walk.js';
export type { Overflow } from './machines/BoundedBuffer.js';
export { bufferedMergeMap, type BufferedMergeMapOptions } from './operators/bufferedMergeMap.js';
export { gatedBy } from './operators/gatedBy.js';
export { ungated } from './operators/ungated.js';
export type { CleanupOptions } from './options/cleanup.js';
export type { DropReason, QueueOptions } from './options/queue.js';
export { fromPull, type FromPullOptions } from './sources/fromPull.js';
export { toAsyncIterable, type ToAsyncIterableOptions } from './sinks/toAsyncIterable.js';
