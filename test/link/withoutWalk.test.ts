import {
  from,
  identity,
  lastValueFrom,
  map,
  noop,
  Observable,
  observable as interop,
  Subject,
  tap,
  toArray,
  type Subscriber,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bufferedMergeMap, fromPull, gatedBy, type Gate } from '../../src/index.js';
import { LevelGate } from '../../src/link/LevelGate.js';

type Between = <T>(source: Observable<T>) => Observable<T>;

/** A subscriber of an RxJS that keeps to itself what is below. */
const opaque = <T>(subscriber: Subscriber<T>): Subscriber<T> =>
  new Proxy(subscriber, {
    get(target, key) {
      if (key === 'destination' || key === 'partialObserver') return undefined;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });

/** What breaks the chain from source to consumer. */
const breaks: Record<string, Between> = {
  'a subscriber without destination': (source) => new Observable((subscriber) => source.subscribe(opaque(subscriber))),
  'an observer of your own': (source) =>
    new Observable((subscriber) =>
      source.subscribe({
        next: (value) => {
          subscriber.next(value);
        },
        complete: () => {
          subscriber.complete();
        },
      }),
    ),
  'a subject': <T>(source: Observable<T>) =>
    new Observable<T>((subscriber) => {
      const subject = new Subject<T>();
      subject.subscribe(subscriber);
      return source.subscribe(subject);
    }),
  'an observable of another library': <T>(source: Observable<T>) =>
    from({
      [interop]: () => ({
        subscribe: (observer: Subscriber<T>) =>
          source.subscribe({
            next: (value) => {
              observer.next(value);
            },
            complete: () => {
              observer.complete();
            },
          }),
      }),
    } as unknown as Observable<T>),
};

const values = Array.from({ length: 300 }, (_, i) => i);
const closed: Gate = { ready: false, onReady: () => noop };

it('with an operator in between, a closed gate holds the source back', () => {
  const received: number[] = [];
  fromPull(values)
    .pipe(map(identity), gatedBy(closed))
    .subscribe((value) => received.push(value));
  expect(received).toEqual([]);
});

describe.each(Object.entries(breaks))('with %s in between', (_, between) => {
  it('the source runs ungated, to its end', async () => {
    const source = between(fromPull(values)).pipe(map(identity), gatedBy(closed));
    expect(await lastValueFrom(source.pipe(toArray()))).toEqual(values);
  });

  it('values wait in the consumer', async () => {
    let emitted = 0;
    const emittedBefore: number[] = [];
    const source = between(fromPull(values).pipe(tap(() => emitted++))).pipe(
      map(identity),
      bufferedMergeMap(async (value) => value, { concurrent: 1 }),
      tap(() => emittedBefore.push(emitted)),
    );
    expect(await lastValueFrom(source.pipe(toArray()))).toEqual(values);
    expect(emittedBefore[0]).toBeGreaterThan(2); // one that runs and one that waits, had it been found
  });

  it('fromPull(source, { gate }) heeds the gate', () => {
    let room = 0;
    const received: number[] = [];
    const gate = new LevelGate(() => room > 0);
    between(fromPull(values, { gate })).subscribe((value) => {
      received.push(value);
      room--;
    });
    for (let round = 0; round < 3; round++) {
      expect(received).toEqual(values.slice(0, round * 2));
      room = 2;
      gate.wake();
    }
  });
});
