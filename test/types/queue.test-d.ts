// Checked by `npm run typecheck`.
import { from, of, type Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import { bufferedMergeMap, fromPull } from '../../src/index.js';
import { settle } from '../../src/operators/settle.js';
import { BoundedQueue } from '../../src/resources/BoundedQueue.js';

describe('BoundedQueue', () => {
  it('is a source of its values, for RxJS and for loops', async () => {
    const queue = new BoundedQueue<number>({ onDrop: (value) => value.toFixed() });
    expectTypeOf(from(queue)).toEqualTypeOf<Observable<number>>();
    expectTypeOf(fromPull(queue)).toEqualTypeOf<Observable<number>>();
    expectTypeOf(of('a').pipe(bufferedMergeMap(() => queue))).toEqualTypeOf<Observable<number>>();
    expectTypeOf(queue.take()).toEqualTypeOf<Promise<number>>();
    expectTypeOf(queue.tryTake()).toEqualTypeOf<number | undefined>();
    for await (const value of queue) expectTypeOf(value).toEqualTypeOf<number>();
  });

  it('takes a signal that may be missing', () => {
    const signal = undefined as AbortSignal | undefined;
    expectTypeOf(new BoundedQueue<number>().put(1, { signal })).toEqualTypeOf<Promise<void>>();
  });

  it('refuses what it does not take', () => {
    const queue = new BoundedQueue<number>();
    // @ts-expect-error not a number
    void queue.put('a');
    // @ts-expect-error the word is capacity
    new BoundedQueue({ maxsize: 1 });
    // @ts-expect-error no such member
    expectTypeOf(queue.maxsize);
    // @ts-expect-error statistics are a snapshot
    queue.statistics().size = 1;
  });
});

describe('settle', () => {
  it('gives what Promise.allSettled gives', () => {
    expectTypeOf(of(1).pipe(settle())).toEqualTypeOf<Observable<PromiseSettledResult<number>>>();
  });
});
