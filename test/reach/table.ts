import {
  animationFrames,
  asyncScheduler,
  audit,
  auditTime,
  bindCallback,
  bindNodeCallback,
  buffer,
  bufferCount,
  bufferTime,
  bufferToggle,
  bufferWhen,
  catchError,
  combineLatest,
  combineLatestAll,
  combineLatestWith,
  concat,
  concatAll,
  concatMap,
  concatMapTo,
  concatWith,
  connect,
  connectable,
  count,
  debounce,
  debounceTime,
  defaultIfEmpty,
  defer,
  delay,
  delayWhen,
  dematerialize,
  distinct,
  distinctUntilChanged,
  distinctUntilKeyChanged,
  elementAt,
  EMPTY,
  empty,
  endWith,
  every,
  exhaustAll,
  exhaustMap,
  expand,
  filter,
  finalize,
  find,
  findIndex,
  first,
  forkJoin,
  from,
  fromEvent,
  fromEventPattern,
  generate,
  groupBy,
  ignoreElements,
  iif,
  interval,
  isEmpty,
  last,
  map,
  mapTo,
  materialize,
  max,
  merge,
  mergeAll,
  mergeMap,
  mergeMapTo,
  mergeScan,
  mergeWith,
  min,
  multicast,
  NEVER,
  never,
  noop,
  Observable,
  observeOn,
  of,
  onErrorResumeNext,
  onErrorResumeNextWith,
  pairs,
  pairwise,
  partition,
  pluck,
  publish,
  publishBehavior,
  publishLast,
  publishReplay,
  race,
  raceWith,
  range,
  reduce,
  refCount,
  repeat,
  repeatWhen,
  retry,
  retryWhen,
  sample,
  sampleTime,
  scan,
  scheduled,
  sequenceEqual,
  share,
  shareReplay,
  single,
  skip,
  skipLast,
  skipUntil,
  skipWhile,
  startWith,
  Subject,
  subscribeOn,
  switchAll,
  switchMap,
  switchMapTo,
  switchScan,
  take,
  takeLast,
  takeUntil,
  takeWhile,
  tap,
  throttle,
  throttleTime,
  throwError,
  throwIfEmpty,
  timeInterval,
  timeout,
  timeoutWith,
  timer,
  timestamp,
  toArray,
  using,
  window,
  windowCount,
  windowTime,
  windowToggle,
  windowWhen,
  withLatestFrom,
  zip,
  zipAll,
  zipWith,
  type ConnectableObservable,
  type MonoTypeOperatorFunction,
  type ObservableInput,
} from 'rxjs';
import * as legacy from 'rxjs/operators';
import { bufferedMergeMap, ungated } from '../../src/index.js';

/** How far the gate of a consumer reaches up to a source that can wait. */
export type Reach =
  | 'exact'
  | { readonly boundedBy: number }
  | 'holds values'
  | 'drops values'
  | 'side input'
  | 'cut'
  | 'cannot wait'
  | 'no values';

/** One place in which a source can stand. */
export interface Position {
  readonly name: string;
  readonly reach: Reach;
  /** What to know, and what to do instead. */
  readonly remark: string;
  /** Builds it with `source` in this place; `gated` is for the gate where it is not to stand at the bottom. */
  readonly build: (source: Observable<number>, gated: MonoTypeOperatorFunction<number>) => Observable<unknown>;
  /** It gives no values to the consumer: it says when. */
  readonly notifier?: boolean;
  /** The pipeline puts in the gate itself. */
  readonly gateInside?: boolean;
  /** The function has no source above. */
  readonly alone?: boolean;
}

export interface Row {
  readonly name: string;
  readonly kind: 'operator' | 'creation' | 'by hand';
  /** Where it is exported. Default: `rxjs`, and an operator from `rxjs/operators` too. */
  readonly entry?: 'rxjs/operators';
  /** The oldest of the supported versions that has it. Default: all have it. */
  readonly since?: string;
  readonly positions: readonly Position[];
}

type Build = Position['build'];

const position = (
  name: string,
  reach: Reach,
  remark: string,
  build: Build,
  more: Partial<Position> = {},
): Position => ({
  name,
  reach,
  remark,
  build,
  ...more,
});

const source = (reach: Reach, build: Build, remark = '') => position('source', reach, remark, build);
const input = (name: string, reach: Reach, build: Build, remark = '') => position(name, reach, remark, build);
const inner = (build: Build, remark = '') => position('inner source', 'exact', remark, build);
const gateIn = (name: string, reach: Reach, build: Build, remark: string) =>
  position(name, reach, remark, build, { gateInside: true });
const alone = (reach: 'cannot wait' | 'no values', build: () => Observable<unknown>, remark = '') =>
  position('', reach, remark, build, { alone: true });

const notifier = (name: string, build: Build) =>
  position(name, 'side input', 'pipe `ungated()` behind it', build, { notifier: true });
const freeNotifier = (name: string, build: Build) =>
  position(name, 'cut', 'runs free, as a notifier should', build, { notifier: true });

const bounded = (boundedBy: number): Reach => ({ boundedBy });

const fansOut = 'k: what one inner source gives at once; `bufferedMergeMap` keeps what is too much';
const queues = 'what waits for a slot, and the results of what runs; put a `bufferedMergeMap` there';
const runsOn = 'while an inner source runs, the source is read to its end; put a `bufferedMergeMap` there';
const readsOn = 'while it gives nothing, the source is read on';
const readsAll = 'reads the source to its end, for one output';
const oneBuffer = 'one buffer has no bound: `bufferCount`';
const shares = 'what was emitted waits before the consumers; put a gate of your own above it';
const delays = 'all that is on its way; let a `bufferedMergeMap` do what takes time';
const busyIsSilence = 'takes a busy consumer for silence, and fires: give the inner source the timeout';

/** An inner source that gives three values at once. */
const thrice = (value: number) => of(value, value, value);
/** An inner source that takes time. */
const later = (value: number) => timer(5).pipe(map(() => value));

const flattening = (
  build: (project: (value: number) => Observable<number>) => (source: Observable<number>) => Observable<unknown>,
  asynchronous: 'holds values' | 'drops values',
): Position[] => [
  input('source, synchronous inner sources', bounded(3), (p) => build(thrice)(p), fansOut),
  input(
    'source, asynchronous inner sources',
    asynchronous,
    (p) => build(later)(p),
    asynchronous === 'holds values' ? queues : runsOn,
  ),
  inner((p) => build(() => p)(of(-1))),
];

const operator = (name: string, ...positions: Position[]): Row => ({ name, kind: 'operator', positions });
const creation = (name: string, ...positions: Position[]): Row => ({ name, kind: 'creation', positions });
const byHand = (name: string, ...positions: Position[]): Row => ({ name, kind: 'by hand', positions });
/** Another function of the same name. */
const legacyOperator = (name: string, ...positions: Position[]): Row => ({
  ...operator(name, ...positions),
  entry: 'rxjs/operators',
});

/** Emits a value each ms. */
const emitter = {
  addListener(_: string, listener: (value: number) => void) {
    return setInterval(listener, 1, 0);
  },
  removeListener: noop,
};

const joined = (connected: Observable<unknown>) => {
  (connected as ConnectableObservable<unknown>).connect();
  return connected;
};

const operators: readonly Row[] = [
  operator(
    'audit',
    source('drops values', (p) => p.pipe(audit(() => timer(50))), readsOn),
    notifier('duration', (p) => of(-1).pipe(audit(() => p))),
  ),
  operator(
    'auditTime',
    source('drops values', (p) => p.pipe(auditTime(50)), readsOn),
  ),
  operator(
    'buffer',
    source('holds values', (p) => p.pipe(buffer(interval(50))), oneBuffer),
    notifier('notifier', (p) => NEVER.pipe(buffer(p))),
  ),
  operator(
    'bufferCount',
    source('exact', (p) => p.pipe(bufferCount(3))),
    input(
      'source, overlapping buffers',
      bounded(2),
      (p) => p.pipe(bufferCount(3, 1)),
      'k: the buffers left over at the end',
    ),
  ),
  operator(
    'bufferTime',
    source(
      'holds values',
      (p) => p.pipe(bufferTime(50)),
      'one buffer has no bound, unless it is given a maximum; buffers come by the clock, asked for or not',
    ),
  ),
  operator(
    'bufferToggle',
    source('holds values', (p) => p.pipe(bufferToggle(of(0), () => timer(50))), oneBuffer),
    notifier('openings', (p) => NEVER.pipe(bufferToggle(p, () => NEVER))),
    notifier('closing', (p) => NEVER.pipe(bufferToggle(of(0), () => p))),
  ),
  operator(
    'bufferWhen',
    source('holds values', (p) => p.pipe(bufferWhen(() => timer(50))), oneBuffer),
    notifier('closing', (p) => NEVER.pipe(bufferWhen(() => p))),
  ),
  operator(
    'catchError',
    source('exact', (p) => p.pipe(catchError(() => EMPTY))),
    input('handler', 'exact', (p) => throwError(noop).pipe(catchError(() => p))),
  ),
  operator(
    'combineLatestAll',
    source(
      'exact',
      (p) =>
        p.pipe(
          map((x) => of(x)),
          combineLatestAll(),
        ),
      'reads the source to its end before it subscribes to what it gave',
    ),
    input(
      'inner source, before all others have given a value',
      'drops values',
      (p) => of(p, later(-1)).pipe(combineLatestAll()),
      readsOn,
    ),
    input('inner source, afterwards', 'exact', (p) => of(of(-1), p).pipe(combineLatestAll())),
  ),
  operator(
    'combineLatestWith',
    input(
      'source, before all others have given a value',
      'drops values',
      (p) => p.pipe(combineLatestWith(later(-1))),
      readsOn,
    ),
    input('another, when all others have', 'exact', (p) => of(-1).pipe(combineLatestWith(p))),
  ),
  operator('concatAll', ...flattening((project) => (s) => s.pipe(map(project), concatAll()), 'holds values')),
  operator('concatMap', ...flattening((project) => concatMap(project), 'holds values')),
  operator(
    'concatMapTo',
    input('source, synchronous inner sources', bounded(3), (p) => p.pipe(concatMapTo(of(-1, -1, -1))), fansOut),
    input('source, asynchronous inner sources', 'holds values', (p) => p.pipe(concatMapTo(later(-1))), queues),
    inner((p) => of(-1, -1).pipe(concatMapTo(p))),
  ),
  operator(
    'concatWith',
    source('exact', (p) => p.pipe(concatWith(of(-1)))),
    input('another', 'exact', (p) => of(-1).pipe(concatWith(p))),
  ),
  operator(
    'connect',
    source('cut', (p) => p.pipe(connect((shared) => shared)), shares),
  ),
  operator(
    'count',
    source('exact', (p) => p.pipe(count()), readsAll),
  ),
  operator(
    'debounce',
    source('drops values', (p) => p.pipe(debounce(() => timer(50))), readsOn),
    notifier('duration', (p) => concat(of(-1), NEVER).pipe(debounce(() => p))),
  ),
  operator(
    'debounceTime',
    source('drops values', (p) => p.pipe(debounceTime(50)), readsOn),
  ),
  operator(
    'defaultIfEmpty',
    source('exact', (p) => p.pipe(defaultIfEmpty(-1))),
  ),
  operator(
    'delay',
    source('holds values', (p) => p.pipe(delay(5)), delays),
  ),
  operator(
    'delayWhen',
    source('holds values', (p) => p.pipe(delayWhen(() => timer(5))), delays),
    notifier('duration', (p) => of(-1).pipe(delayWhen(() => p))),
    notifier('subscription delay', (p) => of(-1).pipe(delayWhen(() => of(-1), p))),
  ),
  operator(
    'dematerialize',
    source('exact', (p) => p.pipe(materialize(), dematerialize())),
  ),
  operator(
    'distinct',
    source('exact', (p) => p.pipe(distinct())),
    notifier('flushes', (p) => NEVER.pipe(distinct(undefined, p))),
  ),
  operator(
    'distinctUntilChanged',
    source('exact', (p) => p.pipe(distinctUntilChanged())),
  ),
  operator(
    'distinctUntilKeyChanged',
    source('exact', (p) =>
      p.pipe(
        map((id) => ({ id })),
        distinctUntilKeyChanged('id'),
      ),
    ),
  ),
  operator(
    'elementAt',
    source('exact', (p) => p.pipe(elementAt(2))),
  ),
  operator(
    'endWith',
    source(bounded(3), (p) => p.pipe(endWith(-1, -2, -3)), 'k: the values given, which come all at once'),
  ),
  operator(
    'every',
    source('exact', (p) => p.pipe(every(() => true)), readsAll),
  ),
  operator('exhaustAll', ...flattening((project) => (s) => s.pipe(map(project), exhaustAll()), 'drops values')),
  operator('exhaustMap', ...flattening((project) => exhaustMap(project), 'drops values')),
  operator(
    'expand',
    input(
      'source, synchronous inner sources',
      bounded(3),
      (p) => p.pipe(expand((x) => (Number.isInteger(x) ? of(x + 0.2, x + 0.4) : EMPTY))),
      'k: all that comes of one value at once',
    ),
    input(
      'source, asynchronous inner sources',
      'holds values',
      (p) => p.pipe(expand((x) => (Number.isInteger(x) ? later(x + 0.5) : EMPTY))),
      'all that runs gives its results',
    ),
    inner((p) => of(-1).pipe(expand((x) => (x < 0 ? p : EMPTY)))),
  ),
  operator(
    'filter',
    source('exact', (p) => p.pipe(filter((x) => x % 3 === 0))),
  ),
  operator(
    'finalize',
    source('exact', (p) => p.pipe(finalize(noop))),
  ),
  operator(
    'find',
    source('exact', (p) => p.pipe(find((x) => x % 3 === 0))),
  ),
  operator(
    'findIndex',
    source('exact', (p) => p.pipe(findIndex((x) => x % 3 === 0))),
  ),
  operator(
    'first',
    source('exact', (p) => p.pipe(first())),
  ),
  operator(
    'groupBy',
    input('source, groups merged again', 'exact', (p) =>
      p.pipe(
        groupBy((x) => x % 3),
        mergeMap((group) => group),
      ),
    ),
    gateIn(
      'source, a gate in each group',
      'cut',
      (p, gated) =>
        p.pipe(
          groupBy((x) => x % 3),
          mergeMap((group) => group.pipe(gated)),
        ),
      'the source sees the gate below the groups, none of those inside; put a `bufferedMergeMap` behind the merged groups',
    ),
    freeNotifier('duration', (p) =>
      concat(of(-1), NEVER).pipe(
        groupBy((x) => x, { duration: () => p }),
        mergeMap((group) => group.pipe(ignoreElements())),
      ),
    ),
  ),
  operator(
    'ignoreElements',
    source('exact', (p) => p.pipe(ignoreElements(), endWith(-1)), 'reads the source to its end'),
  ),
  operator(
    'isEmpty',
    source('exact', (p) => p.pipe(isEmpty())),
  ),
  operator(
    'last',
    source('exact', (p) => p.pipe(last()), readsAll),
  ),
  operator(
    'map',
    source('exact', (p) => p.pipe(map((x) => x))),
  ),
  operator(
    'mapTo',
    source('exact', (p) => p.pipe(mapTo(-1))),
  ),
  operator(
    'materialize',
    source('exact', (p) => p.pipe(materialize())),
  ),
  operator(
    'max',
    source('exact', (p) => p.pipe(max()), readsAll),
  ),
  operator('mergeAll', ...flattening((project) => (s) => s.pipe(map(project), mergeAll(2)), 'holds values')),
  operator('mergeMap', ...flattening((project) => mergeMap(project, 2), 'holds values')),
  operator(
    'mergeMapTo',
    input('source, synchronous inner sources', bounded(3), (p) => p.pipe(mergeMapTo(of(-1, -1, -1))), fansOut),
    input('source, asynchronous inner sources', 'holds values', (p) => p.pipe(mergeMapTo(later(-1))), queues),
    inner((p) => of(-1, -1).pipe(mergeMapTo(p))),
  ),
  operator('mergeScan', ...flattening((project) => mergeScan((_, value) => project(value), -1), 'holds values')),
  operator(
    'mergeWith',
    source('exact', (p) => p.pipe(mergeWith(NEVER))),
    input('another', 'exact', (p) => NEVER.pipe(mergeWith(p, p))),
  ),
  operator(
    'min',
    source('exact', (p) => p.pipe(min()), readsAll),
  ),
  operator(
    'multicast',
    source('cut', (p) => joined(p.pipe(multicast(() => new Subject<number>()))), shares),
    input(
      'source, with a selector',
      'cut',
      (p) =>
        p.pipe(
          multicast(
            () => new Subject<number>(),
            (shared) => shared,
          ),
        ),
      shares,
    ),
  ),
  operator(
    'observeOn',
    source('holds values', (p) => p.pipe(observeOn(asyncScheduler)), delays),
  ),
  {
    ...operator(
      'onErrorResumeNextWith',
      source('exact', (p) => p.pipe(onErrorResumeNextWith(of(-1)))),
      input('another', 'exact', (p) => of(-1).pipe(onErrorResumeNextWith(p))),
    ),
    since: '7.6.0',
  },
  operator(
    'pairwise',
    source('exact', (p) => p.pipe(pairwise())),
  ),
  operator(
    'pluck',
    source('exact', (p) =>
      p.pipe(
        map((id) => ({ id })),
        pluck('id'),
      ),
    ),
  ),
  operator(
    'publish',
    source('cut', (p) => joined(p.pipe(publish())), shares),
  ),
  operator(
    'publishBehavior',
    source('cut', (p) => joined(p.pipe(publishBehavior(-1))), shares),
  ),
  operator(
    'publishLast',
    source('cut', (p) => joined(p.pipe(publishLast())), shares),
  ),
  operator(
    'publishReplay',
    source('cut', (p) => joined(p.pipe(publishReplay(1))), shares),
  ),
  operator(
    'raceWith',
    source('exact', (p) => p.pipe(raceWith(NEVER))),
    input('another', 'exact', (p) => NEVER.pipe(raceWith(p))),
  ),
  operator(
    'reduce',
    source('exact', (p) => p.pipe(reduce((sum, x) => sum + x, 0)), readsAll),
  ),
  operator(
    'refCount',
    source('cut', (p) => (p.pipe(publish()) as ConnectableObservable<number>).pipe(refCount()), shares),
  ),
  operator(
    'repeat',
    source('exact', (p) => p.pipe(repeat(2))),
    notifier('delay', (p) => EMPTY.pipe(repeat({ delay: () => p }))),
  ),
  operator(
    'repeatWhen',
    source('exact', (p) => p.pipe(repeatWhen((completions) => completions.pipe(take(1))))),
    notifier('notifier', (p) => EMPTY.pipe(repeatWhen(() => p))),
  ),
  operator(
    'retry',
    source('exact', (p) => concat(p, defer(failsOnce())).pipe(retry())),
    notifier('delay', (p) => throwError(noop).pipe(retry({ delay: () => p }))),
  ),
  operator(
    'retryWhen',
    source('exact', (p) => concat(p, defer(failsOnce())).pipe(retryWhen((errors) => errors))),
    notifier('notifier', (p) => throwError(noop).pipe(retryWhen(() => p))),
  ),
  operator(
    'sample',
    source('drops values', (p) => p.pipe(sample(interval(50))), readsOn),
    notifier('notifier', (p) => NEVER.pipe(sample(p))),
  ),
  operator(
    'sampleTime',
    source('drops values', (p) => p.pipe(sampleTime(50)), readsOn),
  ),
  operator(
    'scan',
    source('exact', (p) => p.pipe(scan((sum, x) => sum + x, 0))),
  ),
  operator(
    'sequenceEqual',
    input(
      'the side that is ahead',
      'holds values',
      (p) => compares((compare) => p.pipe(sequenceEqual(interval(5), compare))),
      'what the other side has not matched yet',
    ),
    input('the side that is behind', 'exact', (p) =>
      compares((compare) => range(0, 1000).pipe(sequenceEqual(p, compare))),
    ),
  ),
  operator(
    'share',
    source('cut', (p) => p.pipe(share()), shares),
    freeNotifier('reset', (p) => of(-1).pipe(share({ resetOnComplete: () => p }))),
  ),
  operator(
    'shareReplay',
    source('cut', (p) => p.pipe(shareReplay({ bufferSize: 1, refCount: true })), shares),
  ),
  operator(
    'single',
    source('exact', (p) => p.pipe(single((x) => x % 1000 === 3)), readsAll),
  ),
  operator(
    'skip',
    source('exact', (p) => p.pipe(skip(2))),
  ),
  operator(
    'skipLast',
    source('exact', (p) => p.pipe(skipLast(2))),
  ),
  operator(
    'skipUntil',
    source('drops values', (p) => p.pipe(skipUntil(timer(50))), readsOn),
    notifier('notifier', (p) => NEVER.pipe(skipUntil(p))),
  ),
  operator(
    'skipWhile',
    source('exact', (p) => p.pipe(skipWhile((x) => x % 1000 < 3))),
  ),
  operator(
    'startWith',
    source(bounded(3), (p) => p.pipe(startWith(-1, -2, -3)), 'k: the values given, which come all at once'),
  ),
  operator(
    'subscribeOn',
    source('exact', (p) => p.pipe(subscribeOn(asyncScheduler))),
  ),
  operator('switchAll', ...flattening((project) => (s) => s.pipe(map(project), switchAll()), 'drops values')),
  operator('switchMap', ...flattening((project) => switchMap(project), 'drops values')),
  operator(
    'switchMapTo',
    input('source, synchronous inner sources', bounded(3), (p) => p.pipe(switchMapTo(of(-1, -1, -1))), fansOut),
    input('source, asynchronous inner sources', 'drops values', (p) => p.pipe(switchMapTo(later(-1))), runsOn),
    inner((p) => of(-1).pipe(switchMapTo(p))),
  ),
  operator('switchScan', ...flattening((project) => switchScan((_, value) => project(value), -1), 'drops values')),
  operator(
    'take',
    source('exact', (p) => p.pipe(take(3))),
  ),
  operator(
    'takeLast',
    source(bounded(3), (p) => p.pipe(takeLast(3)), 'k: the values that it takes, which come all at once'),
  ),
  operator(
    'takeUntil',
    source('exact', (p) => p.pipe(takeUntil(NEVER))),
    notifier('notifier', (p) => NEVER.pipe(takeUntil(p))),
  ),
  operator(
    'takeWhile',
    source('exact', (p) => p.pipe(takeWhile((x) => x % 1000 < 3))),
  ),
  operator(
    'tap',
    source('exact', (p) => p.pipe(tap(noop))),
  ),
  operator(
    'throttle',
    source('drops values', (p) => p.pipe(throttle(() => timer(50))), readsOn),
    notifier('duration', (p) =>
      of(-1).pipe(
        filter(Boolean),
        mergeWith(NEVER),
        throttle(() => p),
      ),
    ),
  ),
  operator(
    'throttleTime',
    source('drops values', (p) => p.pipe(throttleTime(50)), readsOn),
  ),
  operator(
    'throwIfEmpty',
    source('exact', (p) => p.pipe(throwIfEmpty())),
  ),
  operator(
    'timeInterval',
    source('exact', (p) => p.pipe(timeInterval())),
  ),
  operator(
    'timeout',
    source('exact', (p) => p.pipe(timeout(1e6)), busyIsSilence),
    input('with', 'exact', (p) => NEVER.pipe(timeout({ each: 5, with: () => p }))),
  ),
  operator(
    'timeoutWith',
    source('exact', (p) => p.pipe(timeoutWith(1e6, EMPTY)), busyIsSilence),
    input('with', 'exact', (p) => NEVER.pipe(timeoutWith(5, p))),
  ),
  operator(
    'timestamp',
    source('exact', (p) => p.pipe(timestamp())),
  ),
  operator(
    'toArray',
    source('exact', (p) => p.pipe(toArray()), readsAll),
  ),
  operator(
    'window',
    ...windows((p) => p.pipe(window(interval(50)))),
    notifier('notifier', (p) => NEVER.pipe(window(p), ignoreElements())),
  ),
  operator('windowCount', ...windows((p) => p.pipe(windowCount(3)))),
  operator('windowTime', ...windows((p) => p.pipe(windowTime(50)))),
  operator(
    'windowToggle',
    ...windows((p) => p.pipe(windowToggle(of(-1), () => NEVER))),
    input(
      'source, while no window is open',
      'drops values',
      (p) =>
        p.pipe(
          windowToggle(timer(50), () => NEVER),
          mergeAll(),
        ),
      readsOn,
    ),
    notifier('openings', (p) => NEVER.pipe(windowToggle(p, () => NEVER))),
    notifier('closing', (p) => NEVER.pipe(windowToggle(of(-1), () => p))),
  ),
  operator(
    'windowWhen',
    ...windows((p) => p.pipe(windowWhen(() => timer(50)))),
    notifier('closing', (p) =>
      NEVER.pipe(
        windowWhen(() => p),
        ignoreElements(),
      ),
    ),
  ),
  operator(
    'withLatestFrom',
    input('source, when all others have given a value', 'exact', (p) => p.pipe(withLatestFrom(of(-1)))),
    input('source, before', 'drops values', (p) => p.pipe(withLatestFrom(timer(50))), readsOn),
    notifier('another', (p) => NEVER.pipe(withLatestFrom(p))),
  ),
  operator(
    'zipAll',
    source(
      'exact',
      (p) =>
        p.pipe(
          map((x) => of(x)),
          zipAll(),
        ),
      'reads the source to its end before it subscribes to what it gave',
    ),
    ...zips((a, b) => of(a, b).pipe(zipAll())),
  ),
  operator('zipWith', ...zips((a, b) => a.pipe(zipWith(b)))),
  legacyOperator(
    'combineLatest',
    input(
      'source, before all others have given a value',
      'drops values',
      (p) => p.pipe(legacy.combineLatest(later(-1))),
      readsOn,
    ),
    input('another, when all others have', 'exact', (p) => of(-1).pipe(legacy.combineLatest(p))),
  ),
  legacyOperator(
    'concat',
    source('exact', (p) => p.pipe(legacy.concat(of(-1)))),
    input('another', 'exact', (p) => of(-1).pipe(legacy.concat(p))),
  ),
  legacyOperator(
    'merge',
    source('exact', (p) => p.pipe(legacy.merge(NEVER))),
    input('another', 'exact', (p) => NEVER.pipe(legacy.merge(p, p))),
  ),
  legacyOperator(
    'onErrorResumeNext',
    source('exact', (p) => p.pipe(legacy.onErrorResumeNext(of(-1)))),
    input('another', 'exact', (p) => of(-1).pipe(legacy.onErrorResumeNext(p))),
  ),
  legacyOperator(
    'partition',
    source('exact', (p) => legacy.partition<number>((x) => x % 3 === 0)(p)[0]),
  ),
  legacyOperator(
    'race',
    source('exact', (p) => p.pipe(legacy.race(NEVER))),
    input('another', 'exact', (p) => NEVER.pipe(legacy.race(p))),
  ),
  legacyOperator('zip', ...zips((a, b) => a.pipe(legacy.zip(b)))),
];

const creations: readonly Row[] = [
  creation(
    'animationFrames',
    alone('cannot wait', () => animationFrames()),
  ),
  creation(
    'bindCallback',
    alone('cannot wait', () =>
      bindCallback((callback: (value: number) => void) => {
        callback(-1);
      })(),
    ),
  ),
  creation(
    'bindNodeCallback',
    alone('cannot wait', () =>
      bindNodeCallback((callback: (error: unknown, value: number) => void) => {
        callback(null, -1);
      })(),
    ),
  ),
  creation(
    'combineLatest',
    input('input, before all others have given a value', 'drops values', (p) => combineLatest([p, later(-1)]), readsOn),
    input('input, afterwards', 'exact', (p) => combineLatest([of(-1), p])),
  ),
  creation(
    'concat',
    input('input', 'exact', (p) => concat(p, timer(5), p)),
  ),
  creation(
    'connectable',
    input('source', 'cut', (p) => joined(connectable(p)), shares),
  ),
  creation(
    'defer',
    inner((p) => defer(() => p)),
  ),
  creation(
    'empty',
    alone('no values', () => empty()),
  ),
  creation(
    'forkJoin',
    input('input', 'exact', (p) => forkJoin([p, p]), readsAll),
  ),
  creation(
    'from',
    input('an Observable', 'exact', (p) => from(p)),
    position(
      'an iterable, a promise, a stream',
      'cannot wait',
      'an iterable or a stream can, by `fromPull`',
      () => from([-1, -2]),
      { alone: true },
    ),
  ),
  creation(
    'fromEvent',
    alone('cannot wait', () => fromEvent(emitter as never, 'event')),
  ),
  creation(
    'fromEventPattern',
    alone('cannot wait', () => fromEventPattern((handler) => emitter.addListener('', handler), noop)),
  ),
  creation(
    'generate',
    alone(
      'cannot wait',
      () =>
        generate(
          0,
          (x) => x < 5,
          (x) => x + 1,
        ),
      'a generator can, by `fromPull`',
    ),
  ),
  creation(
    'iif',
    inner((p) => iif(() => true, p, EMPTY)),
  ),
  creation(
    'interval',
    alone('cannot wait', () => interval(5)),
  ),
  creation(
    'merge',
    input('input', 'exact', (p) => merge(p, p, p), 'however many there are'),
  ),
  creation(
    'never',
    alone('no values', () => never()),
  ),
  creation(
    'of',
    alone('cannot wait', () => of(-1, -2)),
  ),
  creation(
    'onErrorResumeNext',
    input('input', 'exact', (p) => onErrorResumeNext(p, timer(5), p)),
  ),
  creation(
    'pairs',
    alone('cannot wait', () => pairs({ a: 1 })),
  ),
  creation(
    'partition',
    input('source', 'exact', (p) => partition(p, (x) => x % 3 === 0)[0], 'each half subscribes for itself'),
  ),
  creation(
    'race',
    input('input', 'exact', (p) => race(NEVER, p)),
  ),
  creation(
    'range',
    alone('cannot wait', () => range(0, 5), 'a generator can, by `fromPull`'),
  ),
  creation(
    'scheduled',
    input('an Observable', 'holds values', (p) => scheduled(p, asyncScheduler), delays),
    position(
      'an iterable, a promise, a stream',
      'cannot wait',
      'an iterable or a stream can, by `fromPull`',
      () => scheduled([-1, -2], asyncScheduler),
      { alone: true },
    ),
  ),
  creation(
    'throwError',
    alone('no values', () => throwError(noop)),
  ),
  creation(
    'timer',
    alone('cannot wait', () => timer(5)),
  ),
  creation(
    'using',
    inner((p) =>
      using(
        () => undefined,
        () => p,
      ),
    ),
  ),
  creation('zip', ...zips((a, b) => zip(a, b))),
];

const handMade: readonly Row[] = [
  byHand(
    'new Observable(…), the subscriber passed on',
    source('exact', (p) => new Observable((subscriber) => p.subscribe(subscriber))),
  ),
  byHand(
    'new Observable(…), an observer in between',
    source(
      'cut',
      (p) =>
        new Observable<number>((subscriber) =>
          p.subscribe({
            next: (value) => {
              subscriber.next(value);
            },
            complete: () => {
              subscriber.complete();
            },
          }),
        ),
      'pass the subscriber itself, or `fromPull(source, { gate })`',
    ),
  ),
  byHand(
    'source.subscribe(subject)',
    source('cut', (p) => throughSubject(p), shares),
  ),
  byHand(
    'bufferedMergeMap',
    inner((p) => of(-1, -2).pipe(bufferedMergeMap(() => p))),
  ),
  byHand(
    'gatedBy(gate)',
    gateIn(
      'source, above `share()`',
      'exact',
      (p, gated) => p.pipe(gated, share()),
      'sees the gate that was put there',
    ),
  ),
  byHand(
    'ungated()',
    freeNotifier('behind the notifier of `takeUntil`', (p) => NEVER.pipe(takeUntil(p.pipe(ungated())))),
  ),
];

function throughSubject(source: Observable<number>): Observable<number> {
  return new Observable((subscriber) => {
    const subject = new Subject<number>();
    subject.subscribe(subscriber);
    return source.subscribe(subject);
  });
}

/** The second time it is subscribed, it completes. */
function failsOnce(): () => ObservableInput<never> {
  let times = 0;
  return () => (times++ === 0 ? throwError(noop) : EMPTY);
}

/** An output for each comparison. */
function compares(build: (compare: (value: number) => boolean) => Observable<boolean>): Observable<unknown> {
  return defer(() => {
    const compared = new Subject<number>();
    const compare = (value: number) => {
      compared.next(value);
      return true;
    };
    return merge(compared, build(compare).pipe(ignoreElements()));
  });
}

function windows(build: (source: Observable<number>) => Observable<Observable<number>>): Position[] {
  return [
    input('source, windows merged again', 'exact', (p) => build(p).pipe(mergeAll())),
    gateIn(
      'source, a gate in each window',
      'cut',
      (p, gated) => build(p).pipe(mergeMap((each) => each.pipe(gated))),
      'the source sees the gate below the windows, none of those inside; put a `bufferedMergeMap` behind the merged windows',
    ),
  ];
}

function zips(build: (a: Observable<number>, b: Observable<number>) => Observable<unknown>): Position[] {
  return [
    input(
      'the faster one',
      'holds values',
      (p) => build(p, interval(5)),
      'all that is ahead of the other, without a bound',
    ),
    input('the slower one', 'exact', (p) => build(range(0, 1000), p)),
  ];
}

/** Every operator and creation function that RxJS exports, and what one writes oneself. */
export const reachTable: readonly Row[] = [...operators, ...creations, ...handMade];

/** Other names of the same function. */
export const aliases: Readonly<Record<string, string>> = {
  combineAll: 'combineLatestAll',
  exhaust: 'exhaustAll',
  flatMap: 'mergeMap',
};

/** What else RxJS exports, and why no row is about it. */
export const notOperators: Readonly<Record<string, readonly string[]>> = {
  'a class': ['BehaviorSubject', 'ConnectableObservable', 'Observable', 'ReplaySubject', 'AsyncSubject', 'Subject'],
  'part of every subscription': ['Subscriber', 'Subscription'],
  'an error': [
    'ArgumentOutOfRangeError',
    'EmptyError',
    'NotFoundError',
    'ObjectUnsubscribedError',
    'SequenceError',
    'TimeoutError',
    'UnsubscriptionError',
  ],
  'a scheduler': [
    'animationFrame',
    'animationFrameScheduler',
    'asap',
    'asapScheduler',
    'async',
    'asyncScheduler',
    'queue',
    'queueScheduler',
    'Scheduler',
    'VirtualAction',
    'VirtualTimeScheduler',
  ],
  'a notification as a value': ['Notification', 'NotificationKind'],
  'an Observable without values': ['EMPTY', 'NEVER'],
  'a consumer without a gate: it takes whatever comes': ['firstValueFrom', 'lastValueFrom'],
  'a plain function or value': ['config', 'identity', 'isObservable', 'noop', 'observable', 'pipe'],
};
