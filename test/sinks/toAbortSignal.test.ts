import { BehaviorSubject, EMPTY, map, NEVER, Observable, of, Subject, takeUntil, throwError } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { fromPull } from '../../src/index.js';
import { toAbortSignal } from '../../src/sinks/toAbortSignal.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

describe('toAbortSignal', () => {
  const unhandled = collectUnhandled();

  it.each([undefined, null, 5, {}])('refuses %o at the call', (notifier) => {
    expect(() => toAbortSignal(notifier as never)).toThrow(TypeError);
  });

  it('is aborted by the first value, and lets the notifier go', () => {
    const notifier = new Subject<string>();
    const signal = toAbortSignal(notifier);
    const aborted = vi.fn();
    signal.addEventListener('abort', aborted);
    expect(signal.aborted).toBe(false);
    notifier.next('a');
    expect(signal.aborted).toBe(true);
    expect(notifier.observed).toBe(false);
    notifier.next('b');
    expect(aborted).toHaveBeenCalledTimes(1);
  });

  it('has been aborted already, if the notifier is synchronous', () => {
    let produced = 0;
    const firehose = new Observable<number>((subscriber) => {
      while (!subscriber.closed && produced < 100) subscriber.next(++produced);
    });
    for (const notifier of [new BehaviorSubject(1), [1, 2], firehose])
      expect(toAbortSignal(notifier).aborted).toBe(true);
    expect(produced).toBe(1);
  });

  it('has an error for a reason if the notifier emits one: as it is', () => {
    class OwnError extends Error {
      readonly [Symbol.toStringTag] = 'OwnError';
    }
    const foreign = new TypeError('of another realm');
    Object.setPrototypeOf(foreign, { name: 'TypeError' });
    for (const error of [new OwnError(), new DOMException('late', 'TimeoutError'), foreign])
      expect(toAbortSignal(of(error)).reason).toBe(error);
  });

  it.each([undefined, null, 'why', 0, {}, { name: 'Error', message: 'no error' }])(
    'has the AbortError of the platform for a reason if the notifier emits %o',
    (value) => {
      const { reason } = toAbortSignal(of(value)) as { reason: unknown };
      expect(reason).toBeInstanceOf(DOMException);
      expect((reason as DOMException).name).toBe('AbortError');
    },
  );

  it('is aborted by an error of the notifier, with that as its reason, whatever it is', () => {
    for (const error of [new Error('notifier'), 'text', 0, null]) {
      const signal = toAbortSignal(throwError(() => error));
      expect([signal.aborted, signal.reason]).toEqual([true, error]);
    }
    const signal = toAbortSignal(throwError(() => undefined));
    expect((signal.reason as DOMException).name).toBe('AbortError');
  });

  it('is never aborted by a notifier that completes without a value', () => {
    expect(toAbortSignal(EMPTY).aborted).toBe(false);
    expect(toAbortSignal(NEVER).aborted).toBe(false);
  });

  it('lets the notifier go when that is ended by takeUntil', () => {
    const [notifier, done] = [new Subject(), new Subject()];
    const signal = toAbortSignal(notifier.pipe(takeUntil(done)));
    done.next(0);
    expect(notifier.observed).toBe(false);
    expect(signal.aborted).toBe(false);
  });

  it('does not hear what its own abort leads to', () => {
    const notifier = new Subject<Error>();
    const signal = toAbortSignal(notifier);
    const first = new Error('first');
    signal.addEventListener('abort', () => {
      notifier.next(new Error('second'));
      notifier.error(new Error('third'));
    });
    notifier.next(first);
    expect(signal.reason).toBe(first);
  });

  it('is aborted also where a teardown of the notifier throws, which is reported', async () => {
    const notifier = new Subject();
    const failing = new Observable((subscriber) => {
      notifier.subscribe(subscriber);
      return () => {
        throw new Error('teardown');
      };
    });
    const signal = toAbortSignal(failing);
    notifier.next(0);
    expect(signal.aborted).toBe(true);
    expect(await reported(unhandled)).toMatchObject({ errors: [new Error('teardown')] });
  });

  it('takes promises, and iterables of any kind', async () => {
    const { promise, reject } = deferred<never>();
    const failed = toAbortSignal(promise);
    const resolved = toAbortSignal(Promise.resolve(1));
    const iterator = new AnsweredIterator<number>();
    const iterated = toAbortSignal({ [Symbol.asyncIterator]: () => iterator });
    expect(resolved.aborted).toBe(false);
    reject('why');
    iterator.give(1);
    await settle();
    expect([failed.reason, resolved.aborted, iterated.aborted]).toEqual(['why', true, true]);
    expect(iterator.calls).toEqual(['next', 'return']);
  });

  it('cancels a web stream of which it has had enough, also where streams cannot be iterated', async () => {
    const cancel = vi.fn();
    const stream = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(1);
      },
      cancel,
    });
    const signal = toAbortSignal(Object.assign(stream, { [Symbol.asyncIterator]: undefined }));
    await settle();
    expect(signal.aborted).toBe(true);
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  it('lets a notifier run that can wait', () => {
    expect(toAbortSignal(fromPull([1, 2]).pipe(map((n) => n))).aborted).toBe(true);
  });
});
