import * as api from '../../src/index.js';

const letter: api.DeadLetter<number> = { value: 1, error: 'error', attempts: 1, firstFailedAt: 0, failures: [] };
const report: api.ShutdownReport = {
  reason: 'SIGTERM',
  outcome: 'cut-off',
  drained: 1,
  aborted: 2,
  dropped: 3,
  cleanup: 'done',
  timedOut: true,
  ms: 10,
};
const limit: api.TimeoutWithCleanupInfo = { limit: 'each', ms: 10, seen: 1, lastValue: 1 };

/** One of each error, under the name of its export. */
export const errors: Readonly<Record<string, () => Error>> = {
  BufferOverflowError: () => new api.BufferOverflowError('where', 'values', 3),
  CircuitOpenError: () => new api.CircuitOpenError('where', 'open', 100),
  CleanupTimeoutError: () => new api.CleanupTimeoutError('where', 5000, 'cause'),
  DeadLetterError: () => new api.DeadLetterError('where', letter, 'cause'),
  DemandWindowError: () => new api.DemandWindowError('where', 1, 2),
  EmptyTaskError: () => new api.EmptyTaskError('where', 0),
  JsonLineError: () => new api.JsonLineError('where', 1, 0, '{', 'why', new SyntaxError('why')),
  LineTooLongError: () => new api.LineTooLongError('where', 1, 0, 'aaa', 3),
  NoJsonError: () => new api.NoJsonError('where', 0, 'why'),
  PermitCostError: () => new api.PermitCostError('where', 3, 2),
  PoolClosedError: () => new api.PoolClosedError('where'),
  PoolFullError: () => new api.PoolFullError('where', 1, 2),
  PoolTimeoutError: () => new api.PoolTimeoutError('where', 'acquire', 10, 1, 1),
  QueueClosedError: () => new api.QueueClosedError('where', 'put'),
  RateLimitError: () => new api.RateLimitError('where', 10),
  ReleaseError: () => new api.ReleaseError('where', 'complete', 'release', 'failed', 5000, 'cause'),
  SessionInUseError: () => new api.SessionInUseError('where'),
  ShutdownEndedError: () => new api.ShutdownEndedError('where', 'add', 'member'),
  ShutdownError: () => new api.ShutdownError('where', report),
  SourceConsumedError: () => new api.SourceConsumedError('fromPull'),
  TaskScopeClosedError: () => new api.TaskScopeClosedError('where', 'ended'),
  TimeoutWithCleanupError: () => new api.TimeoutWithCleanupError('where', limit, { cleanup: 'done' }),
  TooManySessionsError: () => new api.TooManySessionsError('where', 10),
  UnreadSessionError: () => new api.UnreadSessionError('where', 3),
  WritableEndedError: () => new api.WritableEndedError('where'),
};
