import {
  catchError,
  concat,
  concatWith,
  debounce,
  exhaustMap,
  finalize,
  forkJoin,
  groupBy,
  merge,
  mergeMap,
  of,
  race,
  repeat,
  retry,
  share,
  shareReplay,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  timeout,
  using,
  withLatestFrom,
  type Observable,
  type Subject,
} from 'rxjs';
import { bufferedMergeMap, shareDemand, takeUntilAborted, timeoutWithCleanup, usingAsync } from '../../src/index.js';

/** What a row has to work with. */
export interface Stage {
  /** It has something to clean up, which takes time. */
  readonly source: Observable<string>;
  /** Where the values and the end of the source come from. */
  readonly control: Subject<string>;
  /** Another one, that tells the source to go. */
  readonly other: Subject<string>;
  /** What the operator may go on with. */
  readonly following: Observable<string>;
}

export interface Row {
  readonly name: string;
  /** What tears the source down. */
  readonly when: string;
  readonly build: (stage: Stage) => Observable<unknown>;
  /** Makes it happen. `'unsubscribe'`: the consumer does. */
  readonly act: ((stage: Stage) => void) | 'unsubscribe' | 'wait';
  /** What the operator does before the clean-up of the source is over. */
  readonly meanwhile: 'completes' | 'errors' | 'emits' | 'subscribes again' | 'starts the next' | 'nothing';
  /** Whether the clean-up reaches whoever waits below. */
  readonly reaches: boolean;
}

const next = ({ control }: Stage) => {
  control.next('value');
};
const fail = ({ control }: Stage) => {
  control.error(new Error('source'));
};
const complete = ({ control }: Stage) => {
  control.complete();
};
const nextOther = ({ other }: Stage) => {
  other.next('other');
};
const failOther = ({ other }: Stage) => {
  other.error(new Error('other'));
};

/** How RxJS goes on while something is still being cleaned up, and how this package does. */
export const native: readonly Row[] = [
  row('`take`, `first`', 'it has enough', ({ source }) => source.pipe(take(1)), next, 'completes'),
  row(
    '`takeWhile`',
    'it has enough',
    ({ source }) => source.pipe(takeWhile((value) => value === '')),
    next,
    'completes',
  ),
  row(
    '`takeUntil`',
    'the notifier emits',
    ({ source, other }) => source.pipe(takeUntil(other)),
    nextOther,
    'completes',
  ),
  row('`timeout`', 'time is over', ({ source }) => source.pipe(timeout(10)), 'wait', 'errors'),
  row(
    '`switchMap`, `switchAll`',
    'the next inner source comes',
    ({ source, other, following }) =>
      concat(of(0), other).pipe(switchMap((value) => (value === 0 ? source : following))),
    nextOther,
    'starts the next',
  ),
  row(
    '`catchError`',
    'the source fails',
    ({ source, following }) => source.pipe(catchError(() => following)),
    fail,
    'starts the next',
  ),
  row('`retry`', 'the source fails', ({ source }) => source.pipe(retry(1)), fail, 'subscribes again'),
  row('`repeat`', 'the source completes', ({ source }) => source.pipe(repeat(2)), complete, 'subscribes again'),
  row(
    '`concat`, `concatMap`, `concatWith`',
    'the source completes',
    ({ source, following }) => source.pipe(concatWith(following)),
    complete,
    'starts the next',
  ),
  row('`mergeMap`, `merge`', 'a sibling fails', ({ source, other }) => merge(source, other), failOther, 'errors'),
  row(
    '`mergeMap` with a limit',
    'an inner source completes',
    ({ source, following }) => of(source, following).pipe(mergeMap((inner) => inner, 1)),
    complete,
    'starts the next',
  ),
  row(
    '`exhaustMap`',
    'the inner source completes',
    ({ source }) => of(0).pipe(exhaustMap(() => source)),
    complete,
    'completes',
  ),
  row('`race`', 'another one is first', ({ source, other }) => race(source, other), nextOther, 'emits'),
  row(
    '`forkJoin`, `combineLatest`, `zip`',
    'another one fails',
    ({ source, other }) => forkJoin([source, other]),
    failOther,
    'errors',
  ),
  row(
    '`withLatestFrom`',
    'the main source completes',
    ({ source, other }) => other.pipe(withLatestFrom(source)),
    ({ other }) => {
      other.complete();
    },
    'completes',
  ),
  row(
    '`debounce`',
    'a value comes while another waits',
    ({ source, other }) => other.pipe(debounce(() => source)),
    (stage) => {
      nextOther(stage);
      nextOther(stage);
    },
    'subscribes again',
  ),
  row(
    '`finalize`, `using`',
    'the source completes',
    ({ source }) =>
      using(
        () => ({ unsubscribe: () => undefined }),
        () => source,
      ).pipe(finalize(() => undefined)),
    complete,
    'completes',
  ),
  row('`share`', 'the last subscriber goes', ({ source }) => source.pipe(share()), 'unsubscribe', 'nothing', false),
  row(
    '`shareReplay` with `refCount`',
    'the last subscriber goes',
    ({ source }) => source.pipe(shareReplay({ bufferSize: 1, refCount: true })),
    'unsubscribe',
    'nothing',
    false,
  ),
  row(
    '`groupBy`',
    'the consumer goes',
    ({ source }) =>
      source.pipe(
        groupBy(() => 0),
        mergeMap((group) => group),
      ),
    'unsubscribe',
    'nothing',
    true,
  ),
];

export const ours: readonly Row[] = [
  row(
    '`bufferedMergeMap`: the slot',
    'an inner source completes',
    ({ source, following }) => of(source, following).pipe(bufferedMergeMap((inner) => inner, { concurrent: 1 })),
    complete,
    'nothing',
  ),
  row(
    '`bufferedMergeMap`: its error',
    'a sibling fails',
    ({ source, other }) => of(source, other).pipe(bufferedMergeMap((inner) => inner)),
    failOther,
    'nothing',
  ),
  row(
    '`takeUntilAborted`',
    'the signal is aborted',
    ({ source, other }) => source.pipe(takeUntilAborted(abortedBy(other))),
    nextOther,
    'nothing',
  ),
  row(
    '`timeoutWithCleanup`',
    'time is over',
    ({ source }) => source.pipe(timeoutWithCleanup({ first: 10 })),
    'wait',
    'nothing',
  ),
  row(
    '`usingAsync`: its end',
    'its source completes',
    ({ source }) => usingAsync({ acquire: () => 0, use: () => source, release: () => undefined }),
    complete,
    'nothing',
  ),
  row(
    '`shareDemand`',
    'the last subscriber goes',
    ({ source }) => source.pipe(shareDemand('all')),
    'unsubscribe',
    'nothing',
  ),
];

function row(
  name: string,
  when: string,
  build: Row['build'],
  act: Row['act'],
  meanwhile: Row['meanwhile'],
  reaches = true,
): Row {
  return { name, when, build, act, meanwhile, reaches };
}

function abortedBy(notifier: Observable<unknown>): AbortSignal {
  const controller = new AbortController();
  notifier.subscribe(() => {
    controller.abort();
  });
  return controller.signal;
}
