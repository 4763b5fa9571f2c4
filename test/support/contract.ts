import { concat, EMPTY, NEVER, Observable, of, Subject, take, throwError, type MonoTypeOperatorFunction } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fromPull, gatedBy } from '../../src/index.js';
import { ManualGate } from './ManualGate.js';

type Value = object;

/**
 * What every operator of this package does, whatever else it does. Call it with a configuration that lets values pass as
 * they are, if anything.
 */
export function keepsOperatorContract(name: string, create: () => MonoTypeOperatorFunction<Value>): void {
  const value = (): Value => ({});

  const record = (source: Observable<Value>) => {
    const events: unknown[] = [];
    const subscription = source.pipe(create()).subscribe({
      next: () => events.push('next'),
      error: (error: unknown) => events.push(error),
      complete: () => events.push('complete'),
    });
    return { events, subscription };
  };

  describe(`${name} keeps the operator contract`, () => {
    it('completes with an empty source', () => {
      expect(record(EMPTY).events).toEqual(['complete']);
    });

    it('stays silent with a silent source', () => {
      expect(record(NEVER).events).toEqual([]);
    });

    it('passes the error of the source on', () => {
      const error = new Error('source');
      expect(record(throwError(() => error)).events).toEqual([error]);
    });

    it('unsubscribes from the source', () => {
      const source = new Subject<Value>();
      record(source).subscription.unsubscribe();
      expect(source.observed).toBe(false);
    });

    it('tears the source down once, however it ends', () => {
      for (const end of ['complete', 'error', 'unsubscribe'] as const) {
        const teardown = vi.fn();
        let subscriber!: { complete(): void; error(error: unknown): void };
        const { subscription } = record(
          new Observable((given) => {
            subscriber = given;
            return teardown;
          }),
        );
        if (end === 'unsubscribe') subscription.unsubscribe();
        else subscriber[end](new Error());
        subscription.unsubscribe();
        expect(teardown).toHaveBeenCalledTimes(1);
      }
    });

    it('stops a synchronous source once downstream has had enough', () => {
      let produced = 0;
      const firehose = new Observable<Value>((subscriber) => {
        while (!subscriber.closed && produced < 100) {
          produced++;
          subscriber.next(value());
        }
      });
      firehose.pipe(create(), take(1)).subscribe();
      expect(produced).toBe(1);
    });

    it('emits nothing after it was unsubscribed inside next', () => {
      let seen = 0;
      const source = new Subject<Value>();
      const subscription = source.pipe(create()).subscribe(() => {
        seen++;
        subscription.unsubscribe();
        source.next(value());
      });
      source.next(value());
      expect(seen).toBe(1);
    });

    it('takes what the consumer pushes into the source inside next', () => {
      let seen = 0;
      const source = new Subject<Value>();
      source.pipe(create()).subscribe(() => {
        seen++;
        if (seen < 5) source.next(value());
      });
      source.next(value());
      expect(seen).toBe(5);
    });

    it('ignores what a source does after its end', () => {
      const { events } = record(
        new Observable((subscriber) => {
          subscriber.next(value());
          subscriber.complete();
          subscriber.next(value());
          subscriber.error(new Error());
          subscriber.complete();
        }),
      );
      expect(events).toEqual(['next', 'complete']);
    });

    it('starts afresh with every subscription', () => {
      const operator = create();
      const passes = () => {
        let seen = 0;
        of(value())
          .pipe(operator)
          .subscribe(() => seen++);
        return seen;
      };
      expect([passes(), passes()]).toEqual([1, 1]);
    });

    it('serves two subscribers at once', () => {
      const source = new Subject<Value>();
      const result = source.pipe(create());
      const seen = [0, 0];
      const [first] = seen.map((_, i) => result.subscribe(() => (seen[i] = (seen[i] ?? 0) + 1)));
      source.next(value());
      first?.unsubscribe();
      source.next(value());
      expect(seen).toEqual([1, 2]);
    });

    it('loses nothing and repeats nothing while a gate below opens and closes', () => {
      const gate = new ManualGate();
      const values = Array.from({ length: 20 }, value);
      const seen: Value[] = [];
      let completed = false;
      fromPull(values, { slice: Infinity })
        .pipe(create(), gatedBy(gate))
        .subscribe({
          next: (each) => {
            seen.push(each);
            gate.ready = false;
          },
          complete: () => (completed = true),
        });
      for (let i = 0; i < 40 && !completed; i++) gate.ready = true;
      expect(seen).toEqual(values);
      expect(completed).toBe(true);
      expect(gate.waiters.size).toBe(0);
    });

    it('waits at the gate below no longer once it is unsubscribed', () => {
      const gate = new ManualGate();
      const subscription = fromPull([value(), value(), value()]).pipe(create(), gatedBy(gate)).subscribe();
      subscription.unsubscribe();
      expect(gate.waiters.size).toBe(0);
    });

    describe('leaves no timer behind', () => {
      beforeEach(() => {
        vi.useFakeTimers();
      });
      afterEach(() => {
        expect(vi.getTimerCount()).toBe(0);
        vi.useRealTimers();
      });

      const three = of(value(), value(), value());

      it('when unsubscribed', () => {
        record(concat(three, NEVER)).subscription.unsubscribe();
      });
      it('when the source errors', () => {
        record(
          concat(
            three,
            throwError(() => new Error()),
          ),
        );
      });
      it('when it completes', () => {
        const { events } = record(three);
        vi.runAllTimers();
        expect(events).toEqual(['next', 'next', 'next', 'complete']);
      });
    });
  });
}
