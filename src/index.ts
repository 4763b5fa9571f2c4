/**
 * The flow control that RxJS lacks.
 * @packageDocumentation
 */
export { BufferOverflowError } from './errors/BufferOverflowError.js';
export { JsonLineError } from './errors/JsonLineError.js';
export { LineTooLongError } from './errors/LineTooLongError.js';
export { NoJsonError } from './errors/NoJsonError.js';
export { SourceConsumedError } from './errors/SourceConsumedError.js';
export type { Pullable, PullStream, PullStreamReader } from './internal/puller.js';
export type { WorkContext } from './internal/workContext.js';
export type { CleanupScope, Gate } from './link/protocol.js';
export { findCleanupScope, findGate } from './link/walk.js';
export type { Overflow } from './machines/BoundedBuffer.js';
export { bufferedMergeMap, type BufferedMergeMapOptions } from './operators/bufferedMergeMap.js';
export { formatJsonLines, type FormatJsonLinesOptions } from './operators/formatJsonLines.js';
export { gatedBy } from './operators/gatedBy.js';
export {
  parseJsonLines,
  type EmitInvalidLines,
  type InvalidLineError,
  type JsonLine,
  type JsonLineOptions,
  type ParseJsonLinesOptions,
  type SkipInvalidLines,
  type ThrowInvalidLines,
} from './operators/parseJsonLines.js';
export { splitLines } from './operators/splitLines.js';
export { ungated } from './operators/ungated.js';
export type { CleanupOptions } from './options/cleanup.js';
export type { LineOptions } from './options/lines.js';
export type { NameOptions } from './options/name.js';
export type { DropReason, QueueOptions } from './options/queue.js';
export { fromPull, type FromPullOptions } from './sources/fromPull.js';
export { toAsyncIterable, type ToAsyncIterableOptions } from './sinks/toAsyncIterable.js';
