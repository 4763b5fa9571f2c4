import {
  asyncScheduler,
  bufferTime,
  delay,
  map,
  Observable,
  Subject,
  type OperatorFunction,
  type Subscriber,
} from 'rxjs';
import { expect, it } from 'vitest';
import { fromPull, gatedBy } from '../../src/index.js';
import { batchWithin } from '../../src/operators/batchWithin.js';
import { conflate } from '../../src/operators/conflate.js';
import { demandWindow } from '../../src/operators/demandWindow.js';
import { latest } from '../../src/operators/latest.js';
import { ManualGate } from '../support/ManualGate.js';
import { turn } from '../support/settle.js';
import { heapGrowth, isCollected } from './support.js';

/** A source that does not let its subscribers go. */
function keeping() {
  const kept: Subscriber<object>[] = [];
  const source = new Observable<object>((subscriber) => {
    kept.push(subscriber);
  });
  return { kept, source };
}

const operators: [string, () => OperatorFunction<object, unknown>][] = [
  ['batchWithin, in the open batch', () => batchWithin({ size: 9, time: 1e6 })],
  ['batchWithin, in a full batch', () => batchWithin({ size: 1 })],
  ['conflate', () => conflate((_, value) => value)],
  ['latest', () => latest()],
  ['demandWindow, before the entrance', () => demandWindow(1, delay(1e6))],
  [
    'demandWindow, behind the exit',
    () => demandWindow(1, (values) => new Observable((inside) => values.pipe(map((value) => value)).subscribe(inside))),
  ],
];

it.each(operators)('%s lets the values go that wait, when it is unsubscribed', async (_, create) => {
  const { kept, source } = keeping();
  const gate = new ManualGate();
  const collected = await isCollected(() => {
    const value = {};
    const subscription = source.pipe(create(), gatedBy(gate)).subscribe();
    kept[0]?.next(value);
    subscription.unsubscribe();
    return value;
  });
  expect(collected).toBe(true);
  expect(gate.waiters.size).toBe(0);
  expect(kept.length).toBe(1);
});

it.each(operators)('%s: a check that can fail', async (_, create) => {
  const { kept, source } = keeping();
  const gate = new ManualGate();
  let subscription;
  const collected = await isCollected(() => {
    const value = {};
    subscription = source.pipe(create(), gatedBy(gate)).subscribe();
    kept[0]?.next(value);
    return value;
  });
  expect(collected).toBe(false);
  (subscription as { unsubscribe(): void } | undefined)?.unsubscribe();
});

it.each(operators)('%s keeps no value that has been emitted or replaced', async (name, create) => {
  const { kept, source } = keeping();
  const gate = new ManualGate();
  const through = name.startsWith('demandWindow')
    ? demandWindow<object, object>(
        1,
        map((value) => value),
      )
    : create();
  const subscription = source.pipe(through, gatedBy(gate)).subscribe();
  const collected = await isCollected(() => {
    const value = {};
    kept[0]?.next(value);
    for (let i = 0; i < 20; i++) kept[0]?.next({});
    gate.ready = true;
    for (let i = 0; i < 20; i++) kept[0]?.next({});
    return value;
  });
  expect(collected).toBe(true);
  subscription.unsubscribe();
});

it('batchWithin keeps no value that gave way', async () => {
  const { kept, source } = keeping();
  const gate = new ManualGate();
  const subscription = source
    .pipe(batchWithin({ size: 3, bufferSize: 3, overflow: 'drop-oldest' }), gatedBy(gate))
    .subscribe();
  const collected = await isCollected(() => {
    const value = {};
    kept[0]?.next(value);
    for (let i = 0; i < 3; i++) kept[0]?.next({});
    return value;
  });
  expect(collected).toBe(true);
  subscription.unsubscribe();
});

it.each<[string, () => OperatorFunction<number, unknown>]>([
  ['batchWithin', () => batchWithin({ size: 3, time: 1e6 })],
  ['conflate', () => conflate((a, b) => a + b)],
  ['latest', () => latest()],
  ['demandWindow', () => demandWindow(2, bufferTime(1e6, null, 2, asyncScheduler))],
])('%s does not grow with subscriptions that come and go', async (_, create) => {
  const source = new Subject<number>();
  const operator = create();
  const growth = await heapGrowth(() => {
    const subscription = source.pipe(operator, gatedBy(new ManualGate())).subscribe();
    for (let i = 0; i < 5; i++) source.next(i);
    subscription.unsubscribe();
  });
  expect(growth).toBeLessThan(64 * 1024);
  expect(source.observed).toBe(false);
});

it('demandWindow does not grow with the values of one subscription', async () => {
  const gate = new ManualGate(true);
  let seen = 0;
  const subscription = fromPull(
    (function* () {
      for (let i = 0; ; i++) yield { i };
    })(),
  )
    .pipe(
      demandWindow(4, (values) => values.pipe(map((value) => value))),
      gatedBy(gate),
    )
    .subscribe(() => seen++);
  const growth = await heapGrowth(() => turn(), 50);
  expect(growth).toBeLessThan(256 * 1024);
  expect(seen).toBeGreaterThan(1000);
  subscription.unsubscribe();
});
