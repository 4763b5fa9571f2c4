/**
 * The flow control that RxJS lacks.
 * @packageDocumentation
 */
export { BufferOverflowError } from './errors/BufferOverflowError.js';
export { CircuitOpenError } from './errors/CircuitOpenError.js';
export { CleanupTimeoutError } from './errors/CleanupTimeoutError.js';
export { DeadLetterError, type DeadLetter, type FailedAttempt } from './errors/DeadLetterError.js';
export { DemandWindowError } from './errors/DemandWindowError.js';
export { EmptyTaskError } from './errors/EmptyTaskError.js';
export { JsonLineError } from './errors/JsonLineError.js';
export { LineTooLongError } from './errors/LineTooLongError.js';
export { NoJsonError } from './errors/NoJsonError.js';
export { PermitCostError } from './errors/PermitCostError.js';
export { PoolClosedError } from './errors/PoolClosedError.js';
export { PoolFullError } from './errors/PoolFullError.js';
export { PoolTimeoutError } from './errors/PoolTimeoutError.js';
export { QueueClosedError } from './errors/QueueClosedError.js';
export { RateLimitError } from './errors/RateLimitError.js';
export { ReleaseError } from './errors/ReleaseError.js';
export { SessionInUseError } from './errors/SessionInUseError.js';
export { ShutdownEndedError } from './errors/ShutdownEndedError.js';
export { ShutdownError, type ShutdownReport } from './errors/ShutdownError.js';
export { SourceConsumedError } from './errors/SourceConsumedError.js';
export { TaskScopeClosedError } from './errors/TaskScopeClosedError.js';
export { TimeoutWithCleanupError, type TimeoutWithCleanupInfo } from './errors/TimeoutWithCleanupError.js';
export { TooManySessionsError } from './errors/TooManySessionsError.js';
export { UnreadSessionError } from './errors/UnreadSessionError.js';
export { WritableEndedError } from './errors/WritableEndedError.js';
export type { CircuitBreaker, CircuitBreakerStatistics } from './internal/breaker/CircuitBreaker.js';
export type { PermitAnswer, PermitRequest, RateAlgorithm, RateLimitStore } from './internal/limiter/LimitSettings.js';
export type { Lease, Pool, PoolStatistics } from './internal/pool/Pool.js';
export type { Pullable, PullStream, PullStreamReader } from './internal/puller.js';
export type { ReleaseOutcome } from './internal/ResourceUse.js';
export type { Session, SessionCloseReason } from './internal/sessions/Session.js';
export type {
  CloseContext,
  DrainContext,
  DrainReport,
  ResourceReport,
  Shutdown,
  ShutdownSummary,
} from './internal/shutdown/Shutdown.js';
export type { StopSource } from './internal/shutdown/stopSource.js';
export type {
  AsyncDisposableScope,
  Task,
  TaskContext,
  TaskOptions,
  TaskScope,
  TaskScopeOptions,
  TaskState,
} from './internal/tasks/TaskScope.js';
export type { PushStream, PushStreamWriter } from './internal/WebStreamWriter.js';
export type { WorkContext } from './internal/workContext.js';
export type { CleanupResult } from './link/Cleanups.js';
export type { DemandPolicy } from './link/CombinedGate.js';
export type { CleanupScope, Gate } from './link/protocol.js';
export { findCleanupScope, findGate } from './link/walk.js';
export type { AdaptiveLimit } from './machines/AdaptiveLimit.js';
export type { Jitter } from './machines/Backoff.js';
export type { Overflow } from './machines/BoundedBuffer.js';
export type { CircuitState } from './machines/Circuit.js';
export { batchWithin, type BatchWithinOptions } from './operators/batchWithin.js';
export { bufferedMergeMap, type BufferedMergeMapOptions } from './operators/bufferedMergeMap.js';
export { circuitBreaker } from './operators/circuitBreaker.js';
export { conflate, type ConflateOptions } from './operators/conflate.js';
export { deadLetter, type DeadLetterOptions } from './operators/deadLetter.js';
export { demandWindow, type DemandWindowOptions } from './operators/demandWindow.js';
export { formatJsonLines, type FormatJsonLinesOptions } from './operators/formatJsonLines.js';
export { gatedBy } from './operators/gatedBy.js';
export { gracefulShutdown, type GracefulShutdownOptions } from './operators/gracefulShutdown.js';
export { hedge, type HedgeInfo, type HedgeOptions } from './operators/hedge.js';
export { keyedSessions, type KeyedSessionsOptions, type MaxSessionsPolicy } from './operators/keyedSessions.js';
export { latest, type LatestOptions } from './operators/latest.js';
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
export {
  pausableBackpressure,
  type DrainPace,
  type PausableBackpressureOptions,
  type PauseMode,
} from './operators/pausableBackpressure.js';
export {
  rateLimit,
  type RateLimitLineOptions,
  type RateLimitMode,
  type RateLimitOptions,
} from './operators/rateLimit.js';
export { retryBackoff, type RetryBackoffOptions, type RetryInfo } from './operators/retryBackoff.js';
export { settle } from './operators/settle.js';
export { shareDemand, type ShareDemandOptions } from './operators/shareDemand.js';
export { splitLines } from './operators/splitLines.js';
export { takeUntilAborted, type TakeUntilAbortedOptions } from './operators/takeUntilAborted.js';
export { timeoutWithCleanup, type TimeoutWithCleanupOptions } from './operators/timeoutWithCleanup.js';
export { ungated } from './operators/ungated.js';
export { usePool, type UsePoolOptions } from './operators/usePool.js';
export type { CircuitBreakerOptions, CircuitThreshold } from './options/breaker.js';
export type { CleanupOptions } from './options/cleanup.js';
export type { AdaptiveConcurrency, Concurrency } from './options/concurrency.js';
export type { LimitOptions } from './options/limit.js';
export type { PermitOptions, RateLimiter, RateLimiterStatistics } from './options/limiter.js';
export type { LineOptions } from './options/lines.js';
export type { NameOptions } from './options/name.js';
export type { DropReason, QueueOptions } from './options/queue.js';
export type { SignalOptions } from './options/signal.js';
export { adaptiveConcurrency, type AdaptiveConcurrencyOptions } from './resources/adaptiveConcurrency.js';
export {
  BoundedQueue,
  type BoundedQueueOptions,
  type CloseOptions,
  type QueueStatistics,
} from './resources/BoundedQueue.js';
export { createCircuitBreaker } from './resources/createCircuitBreaker.js';
export { createPool, type CreatePoolOptions } from './resources/createPool.js';
export { createRateLimiter, type RateLimiterOptions } from './resources/createRateLimiter.js';
export { createShutdown, type CreateShutdownOptions } from './resources/createShutdown.js';
export { fromRetryAfter, type FromRetryAfterOptions, type RetryAfterResponse } from './resources/fromRetryAfter.js';
export { taskScope } from './resources/taskScope.js';
export { abortable } from './sources/abortable.js';
export { fromPull, type FromPullOptions } from './sources/fromPull.js';
export { usingAsync, type Release, type UsingAsyncOptions } from './sources/usingAsync.js';
export { whileOnline } from './sources/whileOnline.js';
export { whileVisible } from './sources/whileVisible.js';
export { zipPull, type ZipPullOptions } from './sources/zipPull.js';
export { gather, type GatherOptions, type GatherResult, type GatherTask } from './sinks/gather.js';
export { toAbortSignal } from './sinks/toAbortSignal.js';
export { toAsyncIterable, type ToAsyncIterableOptions } from './sinks/toAsyncIterable.js';
export { toReadableStream, type ToReadableStreamOptions } from './sinks/toReadableStream.js';
export { writeToStream, type WriteToStreamOptions } from './sinks/writeToStream.js';
