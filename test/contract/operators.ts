import { NEVER, map, of, pipe, queueScheduler, take, type MonoTypeOperatorFunction, type OperatorFunction } from 'rxjs';
import {
  abortable,
  adaptiveConcurrency,
  batchWithin,
  bufferedMergeMap,
  circuitBreaker,
  conflate,
  createCircuitBreaker,
  createPool,
  deadLetter,
  demandWindow,
  formatJsonLines,
  gatedBy,
  gracefulShutdown,
  hedge,
  keyedSessions,
  latest,
  parseJsonLines,
  pausableBackpressure,
  rateLimit,
  retryBackoff,
  settle,
  shareDemand,
  splitLines,
  takeUntilAborted,
  timeoutWithCleanup,
  ungated,
  usePool,
  usingAsync,
  zipPull,
} from '../../src/index.js';

/** Any value: the contract looks only at which one it is. */
type Value = object;
export type CreateOperator = () => MonoTypeOperatorFunction<Value>;

const later = 1e8;

/** Values have no text: they travel as the number under which they are kept. */
const asText =
  <T>(write: (index: number) => T, operator: OperatorFunction<T, unknown>): CreateOperator =>
  () =>
  (source) => {
    const values: Value[] = [];
    return source.pipe(
      map((value) => write(values.push(value) - 1)),
      operator,
      map((line) => values[Number(line)] as Value),
    );
  };

/**
 * Everything that takes values in and gives them out, under the name of its export, in all its modes: set so that each value
 * passes at once and as it is.
 */
export const operators: Readonly<Record<string, Readonly<Record<string, CreateOperator>>>> = {
  abortable: { 'around a source': () => (source) => abortable(() => source) },
  batchWithin: {
    'of one value': () =>
      pipe(
        batchWithin({ size: 1, time: 10 }),
        map(([value]) => value as Value),
      ),
  },
  bufferedMergeMap: {
    'one at a time': () => bufferedMergeMap((value) => of(value), { concurrent: 1 }),
    ordered: () => bufferedMergeMap((value) => of(value), { concurrent: 2, ordered: true }),
    'with a key for all': () => bufferedMergeMap((value) => of(value), { concurrent: 2, key: () => 'the same' }),
    'with a key for each': () => bufferedMergeMap((value) => of(value), { concurrent: 1, key: (value) => value }),
    'with priorities': () => bufferedMergeMap((value) => of(value), { concurrent: 1, priority: () => 1 }),
    'with an age': () => bufferedMergeMap((value) => of(value), { concurrent: 1, maxAge: 1000 }),
    'with a limit that is told': () => bufferedMergeMap((value) => of(value), { concurrent: of(1) }),
    'with a limit that finds itself': () =>
      bufferedMergeMap((value) => of(value), { concurrent: adaptiveConcurrency({ initial: 1 }) }),
    'with work that reads its signal': () =>
      bufferedMergeMap((value, _, { signal }) => (signal.aborted ? NEVER : of(value)), { concurrent: 1 }),
  },
  circuitBreaker: {
    'with a breaker': () => circuitBreaker(createCircuitBreaker({ threshold: { consecutive: 100 } })),
    'with options': () => circuitBreaker({ threshold: { ratio: 1, window: 1000, minimum: 100 }, slowAfter: 1000 }),
  },
  conflate: {
    'into lists': () =>
      pipe(
        conflate(
          (value: Value) => [value],
          (waiting, value) => [...waiting, value],
        ),
        bufferedMergeMap((values) => values, { concurrent: 1 }),
      ),
  },
  deadLetter: {
    // What shouldRetry throws is the error of the operator: so the contract sees that of the source.
    'that retries nothing': () =>
      deadLetter('value', {
        to: () => undefined,
        shouldRetry: (error) => {
          throw error;
        },
      }),
  },
  demandWindow: {
    'around a map': () =>
      demandWindow(
        2,
        map((value: Value) => value),
      ),
    'around what heeds demand': () =>
      demandWindow(
        2,
        bufferedMergeMap((value: Value) => of(value)),
        { scheduler: queueScheduler },
      ),
  },
  formatJsonLines: { 'of numbers': asText((index) => index, formatJsonLines()) },
  gatedBy: { 'an open gate': () => gatedBy({ ready: true, onReady: () => () => undefined }) },
  gracefulShutdown: {
    'around nothing': () => gracefulShutdown((work$) => work$, { on: NEVER }),
    'around bufferedMergeMap': () =>
      gracefulShutdown((work$) => work$.pipe(bufferedMergeMap((value) => of(value), { concurrent: 1 })), { on: NEVER }),
  },
  hedge: {
    'that waits long': () => hedge({ after: later, max: 1 }),
    'of no error': () => hedge({ after: later, shouldHedge: () => false }),
  },
  keyedSessions: {
    'with one session': () =>
      keyedSessions(
        () => 'the key',
        ({ values }) => values,
      ),
    'with a session for each value': () =>
      keyedSessions(
        (value) => value,
        ({ values }) => values,
        { maxSessions: 1 },
      ),
    'that complete by themselves': () =>
      keyedSessions(
        () => 'the key',
        ({ values }) => values.pipe(take(1)),
        { idleTimeout: 10, maxAge: 20 },
      ),
  },
  // Above it values wait, so that none is left out.
  latest: { 'behind a window': () => demandWindow(1, latest(), { scheduler: queueScheduler }) },
  parseJsonLines: {
    'of bytes': asText((index) => new TextEncoder().encode(`${String(index)}\n`), parseJsonLines()),
  },
  pausableBackpressure: {
    "in mode 'buffer'": () => pausableBackpressure(NEVER, { mode: 'buffer' }),
    // Above it values wait, so that none is left out.
    "in mode 'latest'": () =>
      demandWindow(1, pausableBackpressure(NEVER, { mode: 'latest' }), { scheduler: queueScheduler }),
    "in mode 'drop'": () => pausableBackpressure(NEVER, { mode: 'drop' }),
    "in mode 'resubscribe'": () => pausableBackpressure(NEVER, { mode: 'resubscribe' }),
    'that drains by the tick': () => pausableBackpressure(of(true, false), { drain: { perTick: 2 } }),
    'that drains by the interval': () => pausableBackpressure(of(true, false), { drain: { interval: 10 } }),
    'with values ahead': () => pausableBackpressure(NEVER, { highWaterMark: 3 }),
  },
  rateLimit: {
    "in mode 'shape'": () => rateLimit({ limit: 1e6, interval: 1 }),
    "in mode 'enforce'": () => rateLimit({ limit: 1e6, interval: 1, mode: 'enforce', algorithm: 'token-bucket' }),
    'by key': () => rateLimit({ limit: 1e6, interval: 1, key: () => 'a' }),
  },
  retryBackoff: {
    'without attempts': () => retryBackoff({ count: 0 }),
    'of no error': () => retryBackoff({ shouldRetry: () => false }),
  },
  settle: {
    'and back': () => (source) =>
      source.pipe(
        settle(),
        map((outcome) => {
          if (outcome.status === 'rejected') throw outcome.reason;
          return outcome.value;
        }),
      ),
  },
  shareDemand: {
    "'all'": () => shareDemand('all'),
    "'any'": () => shareDemand('any'),
    'with a high-water mark': () => shareDemand('all', { highWaterMark: 3 }),
  },
  splitLines: {
    'of text': asText((index) => `${String(index)}\n`, splitLines()),
  },
  takeUntilAborted: {
    // A signal each: at one that has a listener already, another that is left would not show.
    completing: () => takeUntilAborted(new AbortController().signal),
    "with onAbort: 'error'": () => takeUntilAborted(new AbortController().signal, { onAbort: 'error' }),
  },
  timeoutWithCleanup: {
    'of all three': () => timeoutWithCleanup({ first: later, each: later, total: later }),
    aggressive: () => timeoutWithCleanup({ each: later, strategy: 'aggressive', cleanup: () => NEVER }),
  },
  ungated: { 'as it is': () => ungated() },
  usePool: {
    'with one resource': () =>
      usePool(createPool({ create: () => ({}), max: 1 }), (value) => of(value), { bufferSize: Infinity }),
  },
  usingAsync: {
    'with one resource': () => (source) =>
      usingAsync({ acquire: () => 1, use: () => source, release: () => undefined }),
  },
  zipPull: {
    // Not through tap(), which swallows what a teardown above it throws.
    'with one input': () => (source) => zipPull([source]).pipe(map(([value]) => value)),
  },
};
