import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { gatedBy } from '../../src/index.js';
import { operators } from '../contract/operators.js';
import { ManualGate } from '../support/ManualGate.js';
import { heapGrowth, isCollected } from './support.js';

const subjects = Object.entries(operators).flatMap(([name, modes]) =>
  Object.entries(modes).map(([mode, create]) => [`${name}, ${mode},`, create] as const),
);

/** 10 000 subscriptions in each way, so many times: `RUNS=10` for 100 000. */
const times = Number(process.env['RUNS'] ?? 1);

/** Each way in which a subscription can end, with values seen and, where the operator holds them, values that wait. */
const ends = {
  complete: (source: Subject<object>) => {
    source.complete();
  },
  error: (source: Subject<object>) => {
    source.error(new Error());
  },
  unsubscribe: () => undefined,
};

it.each(subjects)(
  '%s leaves the heap flat however often it is subscribed and ended, in each way',
  async (_, create) => {
    const gate = new ManualGate();
    const operator = create();
    const value = {};
    const subscribe = (end: (source: Subject<object>) => void) => {
      const source = new Subject<object>();
      gate.ready = true;
      const subscription = source.pipe(operator, gatedBy(gate)).subscribe({ error: () => undefined });
      source.next(value);
      gate.ready = false;
      source.next(value);
      end(source);
      subscription.unsubscribe();
    };
    const growth = await heapGrowth(() => {
      for (const end of Object.values(ends)) subscribe(end);
    }, 2500 * times);
    expect(growth).toBeLessThan(64 * 1024);
    expect(gate.waiters.size).toBe(0);
  },
);

it.each(subjects)('%s lets its values go when it is unsubscribed, also from a source that stays', async (_, create) => {
  const source = new Subject<object>();
  const gate = new ManualGate();
  const operator = create();
  const collected = await isCollected(() => {
    const value = {};
    const subscription = source.pipe(operator, gatedBy(gate)).subscribe();
    source.next(value);
    subscription.unsubscribe();
    return value;
  });
  expect(collected).toBe(true);
});
