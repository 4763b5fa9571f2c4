import * as rxjs from 'rxjs';
import { expect, inject, it } from 'vitest';
import { priorityScheduler } from '../../src/schedulers/index.js';

/** How many actions a subscriber still has when so many values have come through `observeOn`. */
async function keptOf(values: number, { observeOn, Subject }: typeof rxjs): Promise<number> {
  const source = new Subject<number>();
  const subscriber = source.pipe(observeOn(priorityScheduler('user-blocking'))).subscribe() as unknown as Held;
  const before = heldBy(subscriber);
  for (let value = 0; value < values; value++) source.next(value);
  await new Promise<void>((resolve) => {
    priorityScheduler('background').schedule(() => {
      resolve();
    });
  });
  return heldBy(subscriber) - before;
}

/** By the one name or, in older versions, the other. */
type Held = Partial<Record<'_finalizers' | '_teardowns', unknown[] | null>>;
const heldBy = ({ _finalizers, _teardowns }: Held) => (_finalizers ?? _teardowns ?? []).length;

it('a subscriber of another copy of RxJS keeps each action, as the doc comment says, and one of its own copy none', async () => {
  const name = inject('rxjs') === 'rxjs-7.6.0' ? 'rxjs-7.8.0' : 'rxjs-7.6.0';
  const other = (await import(name)) as typeof rxjs;
  expect(other.Subscription).not.toBe(rxjs.Subscription);
  expect(await keptOf(1000, rxjs)).toBe(0);
  expect(await keptOf(1000, other)).toBe(1000);
});
