import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Completion } from '../../src/internal/Completion.js';
import { Cleanups, type CleanupResult } from '../../src/link/Cleanups.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

const unhandled = collectUnhandled();
const patience = { cleanupTimeout: Infinity, scheduler: new VirtualTimeScheduler() };

/** Settles as it is told, and as often. */
const callingBack = (callBack: (resolve: () => void, reject: (error: unknown) => void) => void) =>
  ({ then: callBack }) as unknown as PromiseLike<unknown>;

describe('Cleanups', () => {
  const collect = (cleanups: Cleanups, cleanupTimeout = Infinity) => {
    const scheduler = new VirtualTimeScheduler();
    const results: CleanupResult[] = [];
    const waiting = cleanups.answerWhenSettled({ cleanupTimeout, scheduler }, (result) => results.push(result));
    return { results, waiting, scheduler };
  };

  it('are settled at once where there are none', () => {
    const { results, scheduler } = collect(new Cleanups(undefined), 10);
    expect(results).toEqual([{ cleanup: 'done' }]);
    expect(scheduler.actions).toEqual([]);
  });

  it('are settled when the last of them is, and leave no timer', () => {
    const cleanups = new Cleanups(undefined);
    const [first, second] = [new Completion(), new Completion()];
    cleanups.track(first);
    cleanups.track(second);
    const { results, scheduler } = collect(cleanups, 10);
    second.resolve();
    expect(results).toEqual([]);
    first.resolve();
    expect(results).toEqual([{ cleanup: 'done' }]);
    scheduler.flush();
    expect(results).toHaveLength(1);
    expect(scheduler.frame).toBe(0);
  });

  it('know whether any of them goes on', () => {
    const cleanups = new Cleanups(undefined);
    const cleanup = new Completion();
    const settled = [cleanups.areSettled];
    cleanups.track(cleanup);
    settled.push(cleanups.areSettled);
    cleanup.resolve();
    expect([...settled, cleanups.areSettled]).toEqual([true, false, true]);
  });

  it('set no timer where they may take as long as they like', () => {
    const cleanups = new Cleanups(undefined);
    const scheduler = new VirtualTimeScheduler();
    scheduler.schedule = () => expect.fail();
    cleanups.track(new Completion());
    expect(cleanups.whenSettled({ cleanupTimeout: Infinity, scheduler }, () => {}).closed).toBe(false);
  });

  it('call nobody who has ceased to wait', () => {
    const cleanups = new Cleanups(undefined);
    const cleanup = new Completion();
    cleanups.track(cleanup);
    const { results, waiting } = collect(cleanups);
    waiting.unsubscribe();
    cleanup.resolve();
    expect(results).toEqual([]);
  });

  it('are done for who waits, also where another has left who answered for them', () => {
    const cleanups = new Cleanups(undefined);
    const cleanup = new Completion();
    cleanups.track(cleanup);
    const other = cleanups.answer();
    const { results } = collect(cleanups);
    other.unsubscribe();
    cleanup.resolve();
    expect(results).toEqual([{ cleanup: 'done' }]);
  });

  it('are no longer waited for when their time is over; what fails later is reported', async () => {
    const cleanups = new Cleanups(undefined);
    const slow = new Completion();
    cleanups.track(slow);
    const { results, scheduler } = collect(cleanups, 10);
    scheduler.flush();
    expect(results).toEqual([{ cleanup: 'timed-out' }]);
    expect(scheduler.frame).toBe(10);
    slow.reject('late failure');
    expect(await reported(unhandled)).toBe('late failure');
  });

  it('tell who answers what has failed, one as it is, several together', () => {
    for (const count of [1, 2]) {
      const cleanups = new Cleanups(undefined);
      const failing = Array.from({ length: count }, () => new Completion());
      for (const each of failing) cleanups.track(each);
      const { results } = collect(cleanups);
      for (const [i, each] of failing.entries()) each.reject(i);
      const [result] = results;
      expect(result?.cleanup).toBe('failed');
      if (count === 1) expect(result?.cleanupError).toBe(0);
      else expect(result?.cleanupError).toMatchObject({ errors: [0, 1], message: 'several clean-ups have failed' });
    }
  });

  it('tell the failure also where others go on', () => {
    const cleanups = new Cleanups(undefined);
    const failing = new Completion();
    cleanups.track(failing);
    cleanups.track(new Completion());
    const { results, scheduler } = collect(cleanups, 10);
    failing.reject('failure');
    scheduler.flush();
    expect(results).toEqual([{ cleanup: 'timed-out', cleanupError: 'failure' }]);
  });

  it('report what has failed when nobody hears of it any more', async () => {
    const cleanups = new Cleanups(undefined);
    const failing = new Completion();
    cleanups.track(failing);
    cleanups.track(new Completion());
    const { results, waiting } = collect(cleanups);
    failing.reject('failure');
    waiting.unsubscribe();
    expect(await reported(unhandled)).toBe('failure');
    expect(results).toEqual([]);
  });

  it('are handed on; who answers above keeps the failure to himself', async () => {
    const below = new Cleanups(undefined);
    const above = new Cleanups(below);
    const [answered, left] = [new Completion(), new Completion()];
    above.track(answered);
    const { results } = collect(above);
    const outer = collect(below);
    answered.reject('answered');
    expect(results).toEqual([{ cleanup: 'failed', cleanupError: 'answered' }]);
    expect(outer.results).toEqual([{ cleanup: 'done' }]);
    above.track(left);
    left.reject('left to the one below');
    expect(await reported(unhandled)).toBe('left to the one below');
  });

  it('leave the failure to the one below, and report nothing themselves', () => {
    const reports: string[] = [];
    const below = new Cleanups(undefined, (error) => reports.push(`below: ${String(error)}`));
    const above = new Cleanups(below, (error) => reports.push(`above: ${String(error)}`));
    const failing = new Completion();
    above.track(failing);
    failing.reject('failure');
    expect(reports).toEqual(['below: failure']);
  });

  it('count each once, whatever a foreign promise does', () => {
    const seen: unknown[] = [];
    const cleanups = new Cleanups(undefined, (error) => seen.push(error));
    let settledOnce = 0;
    const settled = () => settledOnce++;
    cleanups.track(new Completion());
    cleanups.track(
      callingBack((resolve, reject) => {
        resolve();
        reject('again');
        resolve();
      }),
      settled,
    );
    cleanups.track(
      callingBack(() => {
        throw new Error('then');
      }),
      settled,
    );
    let done = false;
    cleanups.whenSettled(patience, () => (done = true));
    expect([settledOnce, seen, done]).toEqual([2, [new Error('then')], false]);
  });

  it('report what is thrown by who has waited, whatever has settled', async () => {
    for (const how of ['resolve', 'reject'] as const) {
      const cleanups = new Cleanups(undefined);
      const cleanup = new Completion();
      cleanups.track(cleanup);
      cleanups.answerWhenSettled(patience, () => {
        throw new Error('teardown below');
      });
      cleanup[how]('failure');
      expect(await reported(unhandled)).toEqual(new Error('teardown below'));
    }
  });

  it('take a teardown that throws for a clean-up that has failed', () => {
    const seen: unknown[] = [];
    const cleanups = new Cleanups(undefined, (error) => seen.push(error));
    cleanups.attempt(() => {
      throw new Error('teardown');
    });
    expect([seen, cleanups.areSettled]).toEqual([[new Error('teardown')], true]);
  });

  it('are not settled before the teardown is through that is attempted', () => {
    const cleanups = new Cleanups(undefined);
    const cleanup = new Completion();
    cleanups.track(cleanup);
    const { results } = collect(cleanups);
    cleanups.attempt(() => {
      cleanup.resolve();
      expect([cleanups.areSettled, results]).toEqual([false, []]);
    });
    expect([cleanups.areSettled, results]).toEqual([true, [{ cleanup: 'done' }]]);
  });

  it('go on after a teardown that leaves some of them behind', () => {
    const cleanups = new Cleanups(undefined);
    const cleanup = new Completion();
    cleanups.track(cleanup);
    const { results } = collect(cleanups);
    cleanups.attempt(() => {});
    expect(results).toEqual([]);
    cleanup.resolve();
    expect(results).toEqual([{ cleanup: 'done' }]);
  });

  it('go on in the same frame where the clean-up calls back at once', () => {
    const cleanups = new Cleanups(undefined);
    const settled = new Completion();
    settled.resolve();
    cleanups.track(settled);
    expect(collect(cleanups).results).toEqual([{ cleanup: 'done' }]);
  });
});
