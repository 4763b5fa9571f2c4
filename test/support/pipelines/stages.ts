import fc from 'fast-check';
import {
  bufferCount,
  catchError,
  concat,
  concatMap,
  delay,
  dematerialize,
  EMPTY,
  exhaustMap,
  filter,
  finalize,
  from,
  identity,
  ignoreElements,
  map,
  materialize,
  merge,
  mergeMap,
  NEVER,
  noop,
  observeOn,
  of,
  pipe,
  retry,
  scan,
  share,
  skip,
  startWith,
  switchMap,
  take,
  tap,
  timer,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import {
  batchWithin,
  bufferedMergeMap,
  conflate,
  createPool,
  demandWindow,
  formatJsonLines,
  fromPull,
  gracefulShutdown,
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
  toAsyncIterable,
  usePool,
  zipPull,
  type Overflow,
  type PauseMode,
} from '../../../src/index.js';
import type { Ledger } from './Ledger.js';
import { Parcel } from './Parcel.js';
import type { StageModel } from './StageModel.js';
import { givesMany, patience, timedWork, workFor, works, type WorkProgram } from './works.js';

type Operator = MonoTypeOperatorFunction<Parcel>;

/** One kind of stage: what options there are, what it promises with them, and how it is built. */
export interface StageKind<O> {
  readonly options: (faults: boolean) => fc.Arbitrary<O>;
  readonly model: (options: O) => StageModel;
  readonly build: (options: O, ledger: Ledger) => Operator;
  /** It makes a pipeline end in another way than with all that came. */
  readonly isFault?: boolean;
}

const kind = <O>(stage: StageKind<O>): StageKind<O> => stage;
const none = () => fc.constant({});
const transparent = (operator: () => Operator) => kind({ options: none, model: () => ({}), build: operator });

const overflows = fc.constantFrom<Overflow>('error', 'drop-oldest', 'drop-newest', 'drop-buffer');
const small = fc.constantFrom(0, 1, 2, 5);
const moments = fc.nat(60);

/** Makes one value of another. */
const turn = (ledger: Ledger) => (parcel: Parcel) => {
  ledger.use(parcel);
  return ledger.make(parcel.part());
};

function joined(ledger: Ledger, parcels: readonly Parcel[]): Parcel {
  for (const parcel of parcels) ledger.use(parcel);
  const [first] = parcels as [Parcel];
  return ledger.make(new Parcel(parcels.join('+'), first.at, first.key));
}

/** Values of its own, in front of what comes, or instead. */
function own(ledger: Ledger, count: number): Parcel[] {
  const { trial } = ledger;
  const at = ++trial.epoch;
  return Array.from({ length: count }, () => {
    const n = trial.next();
    return ledger.make(new Parcel(`own${String(n)}`, [at, n], n % 3));
  });
}

interface Queue {
  readonly concurrent: number;
  readonly highWaterMark: number;
  /** Beyond `highWaterMark`. */
  readonly spare: number;
  readonly overflow: Overflow;
  readonly works: readonly WorkProgram[];
}

const queue = (faults: boolean) => ({
  concurrent: fc.constantFrom(1, 2, 3, Infinity),
  highWaterMark: small,
  spare: fc.constantFrom(0, 1, 100),
  overflow: overflows,
  works: works(faults),
});

const queueModel = ({ concurrent, highWaterMark, spare, overflow, works }: Queue): StageModel => ({
  demand: 'gate',
  holds: highWaterMark,
  capacity: highWaterMark + spare,
  overflows: overflow === 'error',
  overflowsInside: givesMany(works),
  concurrent,
  waitsFor: 'its work',
});

const queueOptions = ({ concurrent, highWaterMark, spare, overflow }: Queue, ledger: Ledger) => ({
  concurrent,
  highWaterMark,
  bufferSize: highWaterMark + spare,
  overflow,
  onDrop: ledger.drop,
  onDropResult: ledger.drop,
  cleanupTimeout: patience,
  scheduler: ledger.trial.scheduler,
});

/** Does one work after the other from the list. */
const worker = (ledger: Ledger, list: readonly WorkProgram[]) => {
  let count = 0;
  return (parcel: Parcel, _: unknown, context: { readonly signal: AbortSignal }) => {
    ledger.use(parcel);
    return workFor(ledger, parcel, list[count++ % list.length] as WorkProgram, context);
  };
};

/** Work whose results nobody holds back. */
const nativeWorker = (ledger: Ledger, list: readonly WorkProgram[]) => {
  let count = 0;
  return (parcel: Parcel) => {
    ledger.use(parcel);
    return timedWork(ledger, parcel, list[count++ % list.length] as WorkProgram);
  };
};

const flattening = (
  operator: (project: (parcel: Parcel) => Observable<Parcel>, concurrent: number) => Operator,
  model: StageModel,
) =>
  kind({
    options: (faults) => fc.record({ works: works(faults), concurrent: fc.constantFrom(1, 2, Infinity) }),
    model: () => ({ demand: 'runs on', forgets: 'when cut off', ...model }),
    build: ({ works, concurrent }, ledger) => operator(nativeWorker(ledger, works), concurrent),
  });

/** Several values of each at once. */
const fanning = (
  operator: (project: (parcel: Parcel) => Parcel[]) => Operator,
  forgets: StageModel['forgets'] = 'when cut off',
) =>
  kind({
    options: () => fc.record({ times: fc.constantFrom(1, 2, 3) }),
    model: ({ times }) => ({ demand: { fansOut: times }, forgets }),
    build: ({ times }, ledger) =>
      operator((parcel) => {
        ledger.use(parcel);
        return Array.from({ length: times }, () => ledger.promise(parcel.part()));
      }),
  });

const windowed = (operator: (ms: number, ledger: Ledger) => Operator) =>
  kind({
    options: () => fc.record({ size: fc.constantFrom(1, 2, 4), ms: fc.nat(6), spare: fc.constantFrom(0, 2, 100) }),
    // What a value beyond its room becomes is told by `overflow`, whose default is the error.
    model: ({ size, spare }) => ({
      demand: 'gate',
      holds: size,
      capacity: size + spare,
      overflows: true,
      forgets: 'when cut off',
      mostForgotten: size,
    }),
    build: ({ size, ms, spare }, ledger) =>
      demandWindow(size, operator(ms, ledger), {
        bufferSize: spare,
        onDrop: ledger.drop,
        onDropResult: ledger.drop,
        scheduler: ledger.trial.scheduler,
      }),
  });

/** Of RxJS. */
const native = {
  map: kind({ options: none, model: () => ({}), build: (_, ledger) => map(turn(ledger)) }),
  tap: transparent(() => tap(noop)),
  finalize: transparent(() => finalize(noop)),
  materialize: transparent(() => pipe(materialize(), dematerialize())),
  filter: kind({
    options: none,
    model: () => ({}),
    build: (_, ledger) => {
      let count = 0;
      return filter((parcel) => {
        if (count++ % 3 < 2) return true;
        ledger.use(parcel);
        return false;
      });
    },
  }),
  scan: kind({
    options: none,
    model: () => ({}),
    build: (_, ledger) => scan((_: Parcel | undefined, parcel: Parcel) => turn(ledger)(parcel), undefined) as Operator,
  }),
  skip: kind({
    options: () => fc.record({ count: fc.nat(3) }),
    model: () => ({}),
    build: ({ count }, ledger) => {
      let came = 0;
      return pipe(
        tap((parcel) => {
          if (came++ < count) ledger.use(parcel);
        }),
        skip(count),
      );
    },
  }),
  take: kind({
    options: () => fc.record({ count: fc.integer({ min: 1, max: 8 }) }),
    model: () => ({ cuts: true }),
    build: ({ count }, ledger) => {
      let came = 0;
      return pipe(
        tap((parcel) => {
          if (came++ >= count) ledger.use(parcel); // while its last value is on its way down, it lets in what that brings about
        }),
        take(count),
      );
    },
    isFault: true,
  }),
  startWith: kind({
    options: () => fc.record({ count: fc.constantFrom(1, 2) }),
    model: ({ count }) => ({ demand: { gives: count }, forgets: 'when cut off' }),
    build: ({ count }, ledger) => startWith(...own(ledger, count)),
  }),
  bufferCount: kind({
    options: () => fc.record({ size: fc.constantFrom(1, 2, 3) }),
    model: () => ({ demand: { gives: 1 }, forgets: 'when cut off' }),
    build: ({ size }, ledger) =>
      pipe(
        bufferCount(size),
        map((parcels) => joined(ledger, parcels)),
      ),
  }),
  'mergeMap to arrays': fanning((project) => mergeMap(project)),
  'concatMap to arrays': fanning((project) => concatMap(project)),
  'switchMap to arrays': fanning(
    (project) => switchMap(project),
    'anything', // what one value brings about may be the next, before all that is made of it is out
  ),
  concatMap: flattening((project) => concatMap(project), {}),
  mergeMap: flattening((project, concurrent) => mergeMap(project, concurrent), { order: 'mixes' }),
  switchMap: flattening((project) => switchMap(project), {}),
  exhaustMap: flattening((project) => exhaustMap(project), { forgets: 'anything' }),
  delay: kind({
    options: () => fc.record({ ms: fc.nat(9) }),
    model: () => ({ demand: 'runs on', forgets: 'when cut off' }),
    build: ({ ms }, { trial }) => delay(ms, trial.scheduler),
  }),
  observeOn: kind({
    options: none,
    model: () => ({ demand: 'runs on', forgets: 'when cut off' }),
    build: (_, { trial }) => observeOn(trial.scheduler),
  }),
  share: kind({
    options: none,
    model: () => ({ demand: 'runs on', cutsScope: true }),
    build: () => share(),
  }),
  catchError: kind({
    options: () => fc.record({ count: fc.nat(2) }),
    model: ({ count }) => ({ demand: { gives: count }, forgets: 'when cut off' }),
    build: ({ count }, ledger) => catchError(() => from(own(ledger, count))),
    isFault: true,
  }),
  retry: kind({
    options: none,
    model: () => ({ subscribes: 2 }),
    build: () => retry(1),
    isFault: true,
  }),
};

/** How lines come in chunks. */
const cuttings = {
  lines: identity<Observable<string>>,
  halves: concatMap((line: string) => [line.slice(0, line.length / 2), line.slice(line.length / 2)]),
  pairs: pipe(
    bufferCount<string>(2),
    map((lines) => lines.join('')),
  ),
  'without the last line feed': map((line: string, i) => (i > 0 ? '\n' : '') + line.trimEnd()),
};

/** Of this package. */
const ours = {
  bufferedMergeMap: kind({
    options: (faults) =>
      fc.record({
        ...queue(faults),
        ordered: fc.boolean(),
        by: fc.constantFrom('arrival', 'arrival', 'key', 'priority', 'key and priority'),
        maxAge: faults ? fc.constantFrom(Infinity, Infinity, 4) : fc.constant(Infinity),
      }),
    model: (options): StageModel => {
      const { concurrent, highWaterMark, spare, ordered, by } = options;
      const model = queueModel(options);
      if (by === 'arrival') return { ...model, order: ordered || concurrent === 1 ? 'keeps' : 'mixes' };
      if (by === 'priority') return { ...model, order: 'mixes' };
      return {
        ...model,
        order: by === 'key' ? 'by key' : 'mixes',
        holds: highWaterMark + spare,
        concurrentPerKey: 1,
      };
    },
    build: (options, ledger) => {
      const { ordered, by, works, maxAge } = options;
      return bufferedMergeMap(worker(ledger, works), {
        ...queueOptions(options, ledger),
        ordered,
        maxAge,
        ...(by.startsWith('key') && { key: ({ key }: Parcel) => key }),
        ...(by.endsWith('priority') && { priority: ({ key }: Parcel) => key, ageing: 3 }),
      });
    },
  }),
  batchWithin: kind({
    options: () =>
      fc.record({
        size: fc.constantFrom(1, 2, 3, 7),
        time: fc.constantFrom(0, 3, 20, Infinity),
        spare: small,
        overflow: overflows,
      }),
    model: ({ size, spare, overflow }) => ({
      demand: 'gate',
      holds: size,
      capacity: size + spare,
      overflows: overflow === 'error',
    }),
    build: ({ size, time, spare, overflow }, ledger) =>
      pipe(
        batchWithin<Parcel>({
          size,
          time,
          bufferSize: size + spare,
          overflow,
          onDrop: ledger.drop,
          scheduler: ledger.trial.scheduler,
        }),
        map((parcels) => joined(ledger, parcels)),
      ),
  }),
  conflate: kind({
    options: none,
    model: () => ({ demand: 'gate', capacity: 1 }),
    build: (_, ledger) => conflate((waiting, parcel) => joined(ledger, [waiting, parcel]), { onDrop: ledger.drop }),
  }),
  latest: kind({
    options: none,
    model: () => ({ demand: 'gate', capacity: 1 }),
    build: (_, ledger) => latest({ onDrop: ledger.drop }),
  }),
  pausableBackpressure: kind({
    options: () =>
      fc.record({
        mode: fc.constantFrom<PauseMode>('buffer', 'buffer', 'latest', 'drop', 'resubscribe'),
        /** When it is paused and goes on: after so many ms each. */
        changes: fc.array(fc.nat(15), { maxLength: 6 }),
        initiallyPaused: fc.boolean(),
        highWaterMark: small,
        spare: fc.constantFrom(0, 1, 100),
        overflow: overflows,
        drain: fc.constantFrom('sync' as const, { interval: 2 }),
      }),
    model: ({ mode, changes, highWaterMark, spare, overflow }) =>
      mode === 'latest'
        ? { demand: 'gate', capacity: 1 }
        : {
            demand: 'gate',
            subscribes: mode === 'resubscribe' ? 1 + changes.length : 1,
            holds: highWaterMark,
            capacity: highWaterMark + spare,
            overflows: overflow === 'error',
            cuts: mode === 'resubscribe',
          },
    build: ({ mode, changes, initiallyPaused, highWaterMark, spare, overflow, drain }, ledger) => {
      const { scheduler } = ledger.trial;
      const said$ = concat(
        ...changes.map((ms, i) => timer(ms, scheduler).pipe(map(() => (i % 2 === 0) !== initiallyPaused))),
        timer(5, scheduler).pipe(map(() => false)),
        NEVER,
      );
      return pausableBackpressure(said$, {
        mode,
        initiallyPaused,
        drain,
        ...(mode !== 'latest' && { highWaterMark, bufferSize: highWaterMark + spare, overflow }),
        onDrop: ledger.drop,
        scheduler,
      });
    },
  }),
  'demandWindow of delay': windowed((ms, { trial }) => delay(ms, trial.scheduler)),
  'demandWindow of observeOn': windowed((ms, { trial }) => observeOn(trial.scheduler, ms)),
  'demandWindow of concatMap': windowed((ms, { trial }) =>
    concatMap((parcel) => timer(ms, trial.scheduler).pipe(map(() => parcel))),
  ),
  shareDemand: kind({
    options: () =>
      fc.record({
        policy: fc.constantFrom('all' as const, 'any' as const),
        highWaterMark: small,
        spare: fc.constantFrom(0, 1, 100),
        overflow: overflows,
        other: fc.constantFrom('none', 'before', 'behind'),
        ms: fc.nat(5),
      }),
    model: ({ highWaterMark, spare, overflow, other }) => ({
      demand: 'gate',
      // With another one, what waits for whom is not to be told from here.
      ...(other === 'none' && { holds: highWaterMark, capacity: highWaterMark + spare }),
      overflows: overflow === 'error',
      overflowsInside: other !== 'none' && overflow === 'error',
      isShared: other !== 'none',
      // Who is subscribed behind may find that it is over, and a value that one gets is not for who has left.
      ...(other === 'before' && { forgets: 'anything' as const }),
      ...(other === 'behind' && { forgets: 'when cut off' as const }),
    }),
    build: ({ policy, highWaterMark, spare, overflow, other, ms }, ledger) => {
      const { scheduler } = ledger.trial;
      return (source) => {
        const shared = source.pipe(
          shareDemand(policy, {
            highWaterMark,
            bufferSize: highWaterMark + spare,
            overflow,
            resetOnComplete: false,
            resetOnError: false,
            onDrop: ledger.drop,
          }),
        );
        if (other === 'none') return shared;
        const slow = shared.pipe(
          bufferedMergeMap(() => timer(ms, scheduler), { concurrent: 1, highWaterMark: 0, scheduler }),
          ignoreElements(),
        );
        return other === 'before' ? merge(slow, shared) : merge(shared, slow);
      };
    },
  }),
  zipPull: kind({
    options: () =>
      fc.record({
        count: fc.constantFrom(Infinity, 0, 3, 6),
        ms: fc.nat(5),
        highWaterMark: fc.constantFrom(1, 2, 4),
        spare: fc.constantFrom(0, 100),
      }),
    model: ({ count, highWaterMark, spare }) => ({
      demand: 'gate',
      holds: highWaterMark,
      capacity: highWaterMark + spare,
      overflows: true,
      cuts: count < Infinity,
    }),
    build: ({ count, ms, highWaterMark, spare }, ledger) => {
      const { trial } = ledger;
      return (source) => {
        const others = fromPull(
          async function* () {
            for (let i = 0; i < count; i++) {
              await trial.later(ms);
              yield i;
            }
          },
          { scheduler: trial.scheduler },
        );
        const onDrop = (value: Parcel | number) => {
          if (value instanceof Parcel) ledger.drop(value);
        };
        return zipPull([source, others], { highWaterMark, bufferSize: highWaterMark + spare, onDrop }).pipe(
          map(([parcel]) => parcel),
        );
      };
    },
    isFault: true,
  }),
  rateLimit: kind({
    options: () =>
      fc.record({
        limit: fc.constantFrom(1, 2, 5),
        interval: fc.constantFrom(1, 4, 10),
        algorithm: fc.constantFrom(
          'sliding-window' as const,
          'token-bucket' as const,
          'spaced' as const,
          'fixed-window' as const,
        ),
        mode: fc.constantFrom('shape' as const, 'shape' as const, 'drop' as const),
        keyed: fc.boolean(),
        highWaterMark: small,
        spare: fc.constantFrom(1, 100),
        overflow: overflows,
      }),
    model: ({ keyed, highWaterMark, spare, overflow }) => ({
      demand: 'gate',
      order: keyed ? 'by key' : 'keeps',
      holds: Math.max(1, highWaterMark),
      capacity: highWaterMark + spare,
      overflows: overflow === 'error',
    }),
    build: ({ keyed, spare, highWaterMark, ...options }, ledger) =>
      rateLimit<Parcel>({
        ...options,
        highWaterMark,
        bufferSize: highWaterMark + spare,
        ...(keyed && { key: ({ key }: Parcel) => key }),
        onDrop: ledger.drop,
        scheduler: ledger.trial.scheduler,
      }),
  }),
  retryBackoff: kind({
    options: () => fc.record({ count: fc.constantFrom(1, 2), ms: fc.nat(5) }),
    model: ({ count }) => ({ subscribes: 1 + count, waitsForNext: true }),
    build: ({ count, ms }, { trial }) =>
      retryBackoff({
        count,
        initialDelay: ms,
        jitter: 'none',
        cleanupTimeout: patience,
        scheduler: trial.scheduler,
      }),
    isFault: true,
  }),
  keyedSessions: kind({
    options: (faults) =>
      fc.record({
        ...queue(faults),
        idleTimeout: fc.constantFrom(1, 5, 20),
        maxAge: fc.constantFrom(4, 30, Infinity),
        maxSessions: fc.constantFrom(1, 2, Infinity),
        onMaxSessions: fc.constantFrom('close-oldest-idle' as const, 'wait' as const),
        handler: fc.constantFrom('map', 'bufferedMergeMap'),
      }),
    model: (options): StageModel => {
      const { highWaterMark, spare, overflow, works } = options;
      return {
        demand: 'gate',
        order: 'by key',
        // At least one: a session takes what it is given when its consumer can.
        holds: Math.max(1, highWaterMark + spare),
        capacity: Math.max(1, highWaterMark + spare),
        overflows: overflow === 'error',
        overflowsInside: givesMany(works),
        concurrentPerKey: 1,
        waitsFor: 'its work',
      };
    },
    build: (options, ledger) => {
      const { idleTimeout, maxAge, maxSessions, onMaxSessions, handler, works, highWaterMark, spare } = options;
      const { concurrent, ...queued } = queueOptions(options, ledger);
      const bufferSize = Math.max(1, highWaterMark + spare);
      return keyedSessions(
        ({ key }) => key,
        ({ values }) =>
          handler === 'map'
            ? values.pipe(map(turn(ledger)))
            : values.pipe(
                bufferedMergeMap(worker(ledger, works), {
                  ...queued,
                  concurrent: Math.min(concurrent, 1),
                  highWaterMark: 0,
                  bufferSize: 0,
                }),
              ),
        { ...queued, bufferSize, highWaterMark, idleTimeout, maxAge, maxSessions, onMaxSessions },
      );
    },
  }),
  usePool: kind({
    options: (faults) =>
      fc.record({ ...queue(faults), ordered: fc.boolean(), max: fc.constantFrom(1, 2, 3), ms: fc.nat(4) }),
    model: (options): StageModel => {
      const { max, highWaterMark, spare, ordered } = options;
      const concurrent = Math.min(options.concurrent, 4);
      return {
        ...queueModel(options),
        order: ordered || concurrent === 1 ? 'keeps' : 'mixes',
        concurrent: Math.min(max, concurrent),
        holds: highWaterMark + concurrent, // those that wait for a resource have a slot
        capacity: highWaterMark + spare + concurrent,
      };
    },
    build: (options, ledger) => {
      const { trial } = ledger;
      const { max, ms, ordered } = options;
      const pool = createPool({
        max,
        create: async () => {
          await trial.later(ms);
          return trial.next();
        },
        cleanupTimeout: patience,
        scheduler: trial.scheduler,
      });
      trial.finally(() => {
        trial.check(pool.statistics().inUse === 0, () => `a resource of the pool is still in use`);
      });
      const work = worker(ledger, options.works);
      return usePool(
        pool,
        (parcel, resource, context) => {
          trial.check(pool.statistics().inUse <= max, () => 'more resources are in use than there may be');
          return work(parcel, resource, context);
        },
        { ...queueOptions(options, ledger), concurrent: Math.min(options.concurrent, 4), ordered },
      );
    },
  }),
  gracefulShutdown: kind({
    options: (faults) =>
      fc.record({
        ...queue(faults),
        stopsAt: moments,
        drainTimeout: fc.constantFrom(0, 10, Infinity),
        onTimeout: fc.constantFrom('error' as const, 'complete' as const),
      }),
    model: (options) => ({
      ...queueModel(options),
      order: options.concurrent === 1 ? 'keeps' : 'mixes',
      cuts: true,
      waitsFor: 'all above when it cuts',
      errors: ['ShutdownError'],
    }),
    build: (options, ledger) => {
      const { stopsAt, drainTimeout, onTimeout } = options;
      const { scheduler } = ledger.trial;
      return gracefulShutdown(
        (parcels$) => parcels$.pipe(bufferedMergeMap(worker(ledger, options.works), queueOptions(options, ledger))),
        {
          on: timer(stopsAt, scheduler).pipe(tap(ledger.cuts)),
          drainTimeout,
          cleanupTimeout: patience,
          onTimeout,
          onReport: ({ outcome, aborted }) => (ledger.saysAborted = outcome === 'cut-off' && aborted > 0),
          scheduler,
        },
      );
    },
    isFault: true,
  }),
  'JSON lines': kind({
    options: () =>
      fc.record({
        cut: fc.constantFrom(
          'lines' as const,
          'halves' as const,
          'pairs' as const,
          'without the last line feed' as const,
        ),
        bytes: fc.boolean(),
        split: fc.boolean(),
      }),
    model: () => ({ demand: 'passes if exact', forgets: 'when cut off' }),
    build: ({ cut, bytes, split }) => {
      const parcels = new Map<string, Parcel>();
      const encoder = new TextEncoder();
      return pipe(
        map((parcel: Parcel) => {
          parcels.set(parcel.name, parcel);
          return { name: parcel.name, text: 'Zürich' };
        }),
        formatJsonLines(),
        cuttings[cut],
        map((chunk) => (bytes ? encoder.encode(chunk) : chunk)),
        split
          ? pipe(
              splitLines(),
              map((line) => JSON.parse(line) as { name: string }),
            )
          : parseJsonLines<{ name: string }>(),
        map(({ name }) => parcels.get(name) as Parcel),
      );
    },
  }),
  takeUntilAborted: kind({
    options: () => fc.record({ abortsAt: moments }),
    model: () => ({ cuts: true, waitsFor: 'all above when it cuts' }),
    build: ({ abortsAt }, { trial, cuts }) => {
      const controller = new AbortController();
      trial.after(abortsAt, () => {
        cuts();
        controller.abort();
      });
      return takeUntilAborted(controller.signal, { cleanupTimeout: patience, scheduler: trial.scheduler });
    },
    isFault: true,
  }),
  'there and back': kind({
    options: () => fc.record({ highWaterMark: fc.nat(2) }),
    model: ({ highWaterMark }) => ({ demand: 'gate', holds: highWaterMark + 1 }),
    build: ({ highWaterMark }, ledger) => {
      const { scheduler } = ledger.trial;
      const onDrop = ledger.drop;
      return (source) =>
        fromPull(
          () =>
            toAsyncIterable(source, {
              highWaterMark,
              bufferSize: Infinity,
              onDrop,
              cleanupTimeout: patience,
              scheduler,
            }),
          { onDrop, scheduler },
        );
    },
  }),
  settle: kind({
    options: none,
    model: () => ({}),
    build: () =>
      pipe(
        settle<Parcel>(),
        mergeMap((outcome) => (outcome.status === 'fulfilled' ? of(outcome.value) : EMPTY)),
      ),
    isFault: true,
  }),
};

/** What a pipeline may be made of; the simplest first, to which others shrink. */
const stageKinds = { ...native, ...ours } as unknown as Readonly<Record<string, StageKind<unknown>>>;

export interface StageProgram {
  readonly name: string;
  readonly options: unknown;
}

const arbitraries = (kinds: object, faults: boolean) =>
  Object.entries(kinds as Record<string, StageKind<unknown>>)
    .filter(([, { isFault }]) => faults || !isFault)
    .map(([name, { options }]) => options(faults).map((options): StageProgram => ({ name, options })));

export const stages = (faults: boolean): fc.Arbitrary<StageProgram> =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: 2, arbitrary: fc.oneof({ withCrossShrink: true }, ...arbitraries(native, faults)) },
    { weight: 3, arbitrary: fc.oneof({ withCrossShrink: true }, ...arbitraries(ours, faults)) },
  );

export const modelOf = ({ name, options }: StageProgram): StageModel =>
  (stageKinds[name] as StageKind<unknown>).model(options);
export const buildStage = ({ name, options }: StageProgram, ledger: Ledger): Operator =>
  (stageKinds[name] as StageKind<unknown>).build(options, ledger);
