import { NEVER, Observable, of, Subject, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import { takeUntilAborted } from '../../src/operators/takeUntilAborted.js';
import { toAbortSignal } from '../../src/sinks/toAbortSignal.js';
import { abortable } from '../../src/sources/abortable.js';
import { heapGrowth, isCollected } from './support.js';

/** A source that does not let its subscribers go. */
function keeping() {
  const kept: Subscriber<object>[] = [];
  const source = new Observable<object>((subscriber) => {
    kept.push(subscriber);
  });
  return { kept, source };
}

it('takeUntilAborted does not grow with those that come and go while the signal stays', async () => {
  const { signal } = new AbortController();
  const growth = await heapGrowth(() => {
    of(1).pipe(takeUntilAborted(signal)).subscribe();
    NEVER.pipe(takeUntilAborted(signal)).subscribe().unsubscribe();
  });
  expect(growth).toBeLessThan(64 * 1024);
});

it('takeUntilAborted keeps none whom it has told of the abort', async () => {
  const { kept, source } = keeping();
  const controller = new AbortController();
  const collected = await isCollected(() => {
    const observer = { next: () => undefined };
    source.pipe(takeUntilAborted(controller.signal)).subscribe(observer);
    kept.pop();
    controller.abort();
    return observer;
  });
  expect(collected).toBe(true);
});

it('is a check that can fail', async () => {
  const { source } = keeping();
  const controller = new AbortController();
  const collected = await isCollected(() => {
    const observer = { next: () => undefined };
    source.pipe(takeUntilAborted(controller.signal)).subscribe(observer);
    return observer;
  });
  expect(collected).toBe(false);
  controller.abort();
});

it('abortable does not grow with work that comes and goes', async () => {
  const growth = await heapGrowth(async () => {
    abortable(() => NEVER)
      .subscribe()
      .unsubscribe();
    await new Promise((resolve) => abortable(() => Promise.resolve({})).subscribe(resolve));
  });
  expect(growth).toBeLessThan(64 * 1024);
});

it('toAbortSignal lets a signal go that has been aborted, and one whose notifier has ended', async () => {
  for (const end of ['next', 'error', 'complete'] as const) {
    const notifier = new Subject<undefined>();
    expect(
      await isCollected(() => {
        const signal = toAbortSignal(notifier);
        notifier[end](undefined);
        return signal;
      }),
    ).toBe(true);
    expect(notifier.observed).toBe(false);
  }
});

it('toAbortSignal keeps a signal alive that a notifier may still abort', async () => {
  const notifier = new Subject();
  expect(await isCollected(() => toAbortSignal(notifier))).toBe(false);
  notifier.complete();
});
