import { observeOn, Subject, VirtualTimeScheduler, type SchedulerAction, type Subscription } from 'rxjs';
import { expect, it } from 'vitest';
import { pacedScheduler } from '../../src/schedulers/pacedScheduler.js';
import { heapGrowth, isCollected } from './support.js';

/** A scheduler that lives on, because somebody waits in its line. */
function busy() {
  const virtual = new VirtualTimeScheduler();
  const scheduler = pacedScheduler({ limit: 1, interval: 10, scheduler: virtual });
  scheduler.schedule(() => undefined);
  virtual.flush();
  const first = scheduler.schedule(() => undefined);
  return { virtual, scheduler, first };
}

for (const delay of [0, 100]) {
  it(`lets an action go that waits with a delay of ${String(delay)}, and its state, when it is unsubscribed`, async () => {
    const { virtual, scheduler, first } = busy();
    const kept: Subscription[] = []; // as by the subscriber of an operator
    for (const what of ['action', 'state', 'work'] as const) {
      const collected = await isCollected(() => {
        const state = {};
        const work = (each?: object) => each;
        const action = scheduler.schedule(work, delay, state);
        action.unsubscribe();
        if (what !== 'action') kept.push(action);
        return { action, state, work }[what];
      });
      expect(collected, what).toBe(true);
    }
    expect(first.closed).toBe(false);
    expect([kept.length, virtual.actions.length]).toEqual([2, 1]);
  });
}

it('is a check that can fail', async () => {
  const { scheduler, first } = busy();
  expect(await isCollected(() => scheduler.schedule(() => undefined, 0, {}))).toBe(false);
  first.unsubscribe();
});

it('lets a state go that it has passed on, while the action is kept', async () => {
  const { virtual, scheduler } = busy();
  const kept: Subscription[] = [];
  const collected = await isCollected(() => {
    const state = {};
    kept.push(scheduler.schedule(() => undefined, 0, state));
    virtual.flush();
    return state;
  });
  expect(collected).toBe(true);
  expect(kept).toHaveLength(1);
});

it('lets a value go that has passed observeOn or was unsubscribed', async () => {
  const { virtual, scheduler } = busy();
  const source = new Subject<object>();
  const subscription = source.pipe(observeOn(scheduler)).subscribe();
  const passed = await isCollected(() => {
    const value = {};
    source.next(value);
    virtual.flush();
    return value;
  });
  const dropped = await isCollected(() => {
    const value = {};
    source.next(value);
    subscription.unsubscribe();
    return value;
  });
  expect({ passed, dropped }).toEqual({ passed: true, dropped: true });
  expect(scheduler.now()).toBeGreaterThan(0);
});

it('grows with nothing that has run, waited or been scheduled anew', { timeout: 60_000 }, async () => {
  const { virtual, scheduler, first } = busy();
  const growth = await heapGrowth(() => {
    const actions = [0, 0, 5, 20].map((delay) => scheduler.schedule(() => undefined, delay, {}));
    (actions[0] as SchedulerAction<object>).schedule({}, 3);
    actions[1]?.unsubscribe();
    actions[3]?.unsubscribe();
    virtual.flush();
  });
  expect(growth).toBeLessThan(64 * 1024);
  first.unsubscribe();
});
