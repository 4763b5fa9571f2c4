import {
  concat,
  config,
  EMPTY,
  finalize,
  map,
  NEVER,
  Observable,
  of,
  range,
  Subject,
  Subscription,
  take,
  throwError,
  type MonoTypeOperatorFunction,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fromPull, gatedBy } from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { Listeners } from './Listeners.js';
import { ManualGate } from './ManualGate.js';
import { marbles } from './marbles.js';

type Value = object;

/**
 * What every operator of this package does, whatever else it does. Call it with a configuration that lets values pass as
 * they are, if anything.
 */
export function keepsOperatorContract(name: string, create: () => MonoTypeOperatorFunction<Value>): void {
  let made = 0;
  /** Each another one, also for `toEqual`. */
  const value = (): Value => ({ id: made++ });

  let open = new Subscription();
  const watch = (result: Observable<Value>, onNext: () => unknown = () => undefined) => {
    const seen: Value[] = [];
    const events: unknown[] = [];
    const subscription = result.subscribe({
      next: (each) => {
        seen.push(each);
        events.push('next');
        onNext();
      },
      error: (error: unknown) => events.push(error),
      complete: () => events.push('complete'),
    });
    open.add(subscription);
    return { seen, events, subscription };
  };
  const record = (source: Observable<Value>) => watch(source.pipe(create()));

  describe(`${name} keeps the operator contract`, () => {
    const unhandled: unknown[] = [];
    beforeEach(() => {
      vi.useFakeTimers();
      config.onUnhandledError = (error: unknown) => unhandled.push(error);
    });
    afterEach(() => {
      open.unsubscribe();
      open = new Subscription();
      const timers = vi.getTimerCount();
      vi.runAllTimers();
      vi.useRealTimers();
      config.onUnhandledError = null;
      expect(unhandled.splice(0)).toEqual([]);
      expect(timers, 'timers left').toBe(0);
    });

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
      watch(source.pipe(create()), () => {
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
        watch(of(value()).pipe(operator), () => seen++);
        return seen;
      };
      expect([passes(), passes()]).toEqual([1, 1]);
    });

    it('serves two subscribers at once', () => {
      const source = new Subject<Value>();
      const result = source.pipe(create());
      const seen = [0, 0];
      const [first] = seen.map((_, i) => watch(result, () => (seen[i] = (seen[i] ?? 0) + 1)).subscription);
      source.next(value());
      first?.unsubscribe();
      source.next(value());
      expect(seen).toEqual([1, 2]);
    });

    it('loses nothing and repeats nothing while a gate below opens and closes', () => {
      const gate = new ManualGate();
      const values = Array.from({ length: 20 }, value);
      const pulled = fromPull(values, { slice: Infinity }).pipe(create(), gatedBy(gate));
      const { seen, events } = watch(pulled, () => (gate.ready = false));
      for (let i = 0; i < 40 && events.at(-1) !== 'complete'; i++) gate.ready = true;
      expect(seen).toEqual(values);
      expect(events.at(-1)).toBe('complete');
      expect(gate.waiters.size).toBe(0);
    });

    it('waits at the gate below no longer once it is unsubscribed', () => {
      const gate = new ManualGate();
      const subscription = fromPull([value(), value(), value()]).pipe(create(), gatedBy(gate)).subscribe();
      subscription.unsubscribe();
      expect(gate.waiters.size).toBe(0);
    });

    it('loses nothing, whichever way a gate below opens and closes', () => {
      const values = Array.from({ length: 4 }, value);
      for (let pattern = 0; pattern < 2 ** (values.length + 1); pattern++) {
        const open = (step: number) => ((pattern >> step) & 1) === 1;
        const gate = new ManualGate(open(0));
        const source = new Subject<Value>();
        const { events, seen } = watch(source.pipe(create(), gatedBy(gate)));
        values.forEach((each, step) => {
          gate.ready = open(step + 1);
          source.next(each);
        });
        source.complete();
        gate.ready = true;
        vi.runAllTimers();
        expect(seen, pattern.toString(2)).toEqual(values);
        expect(events.at(-1)).toBe('complete');
        expect(gate.waiters.size).toBe(0);
      }
    });

    it('passes nothing on, and leaves nothing behind, once it was unsubscribed, at each moment', () => {
      const steps: ((source: Subject<Value>, gate: ManualGate) => void)[] = [
        (source) => {
          source.next(value());
        },
        (_, gate) => (gate.ready = false),
        (source) => {
          source.next(value());
        },
        (source) => {
          source.next(value());
        },
        (_, gate) => {
          gate.pass();
        },
        (source) => {
          source.complete();
        },
        (_, gate) => {
          gate.pass();
        },
      ];
      for (let moment = 0; moment <= steps.length; moment++) {
        const source = new Subject<Value>();
        const gate = new ManualGate(true);
        const { events, subscription } = watch(source.pipe(create(), gatedBy(gate)));
        for (const step of steps.slice(0, moment)) step(source, gate);
        subscription.unsubscribe();
        // Before the gate is opened again, which would call who waits in vain.
        const left = [source.observed, gate.waiters.size, vi.getTimerCount()];
        expect(left, `after step ${String(moment)}`).toEqual([false, 0, 0]);
        const before = [...events];
        for (const step of steps.slice(moment)) step(source, gate);
        vi.runAllTimers();
        expect(events, `after step ${String(moment)}`).toEqual(before);
        expect([source.observed, gate.waiters.size, vi.getTimerCount()]).toEqual([false, 0, 0]);
      }
    });

    it('leaves nothing behind, once it was unsubscribed after the source has failed behind a closed gate', () => {
      for (const count of [0, 1, 2]) {
        const source = new Subject<Value>();
        const gate = new ManualGate(false);
        const { subscription } = watch(source.pipe(create(), gatedBy(gate)));
        for (let i = 0; i < count; i++) source.next(value());
        source.error(new Error('behind the gate'));
        subscription.unsubscribe();
        expect([source.observed, gate.waiters.size, vi.getTimerCount()], String(count)).toEqual([false, 0, 0]);
      }
    });

    it('keeps apart what waits for two subscribers, each behind a gate of its own', () => {
      const source = new Subject<Value>();
      const result = source.pipe(create());
      const gates = [new ManualGate(), new ManualGate()] as const;
      const [first, second] = gates.map((gate) => watch(result.pipe(gatedBy(gate))));
      const values = [value(), value(), value()];
      for (const each of values) source.next(each);
      source.complete();
      for (const gate of gates) gate.ready = true;
      vi.runAllTimers();
      expect([first?.seen, second?.seen]).toEqual([values, values]);
      expect([first?.events.at(-1), second?.events.at(-1)]).toEqual(['complete', 'complete']);
    });

    it.each(['error', 'complete'] as const)('ends once, where the source ends inside next by %s', (end) => {
      const source = new Subject<Value>();
      const error = new Error('inside');
      const { events } = watch(source.pipe(create()), () => {
        if (end === 'error') source.error(error);
        else source.complete();
      });
      source.next(value());
      source.next(value());
      expect(events).toEqual(['next', end === 'error' ? error : 'complete']);
      expect(source.observed).toBe(false);
    });

    it('goes on where what the consumer does with a value throws, which is reported', () => {
      const source = new Subject<Value>();
      let seen = 0;
      watch(source.pipe(create()), () => {
        seen++;
        throw new Error(`consumer ${String(seen)}`);
      });
      source.next(value());
      source.next(value());
      vi.runAllTimers();
      expect(seen).toBe(2);
      expect(unhandled.splice(0).map(String)).toEqual(['Error: consumer 1', 'Error: consumer 2']);
    });

    it('passes on what an operator above throws', () => {
      const error = new Error('above');
      const throwing = map((each: Value) => {
        if (each === last) throw error;
        return each;
      });
      const last = value();
      expect(record(of(value(), last).pipe(throwing)).events).toEqual(['next', error]);
    });

    it('lets an operator below throw, and is torn down', () => {
      const error = new Error('below');
      const source = new Subject<Value>();
      const throwing = map(() => {
        throw error;
      });
      const { events } = watch(source.pipe(create(), throwing));
      source.next(value());
      source.next(value());
      expect(events).toEqual([error]);
      expect(source.observed).toBe(false);
    });

    it.each(['complete', 'error', 'unsubscribe'] as const)(
      'does not swallow what a teardown above throws, on %s',
      (end) => {
        const thrown = new Error('teardown');
        const failed = new Error('source');
        const source = new Subject<Value>();
        const throwing = finalize<Value>(() => {
          throw thrown;
        });
        const { events, subscription } = record(source.pipe(throwing));
        const told: unknown[] = [];
        source.next(value());
        try {
          if (end === 'unsubscribe') subscription.unsubscribe();
          else if (end === 'error') source.error(failed);
          else source.complete();
        } catch (error) {
          told.push(error);
        }
        vi.runAllTimers();
        told.push(...events, ...unhandled.splice(0));
        const causes = told.flatMap((error) => [error, ...((error as { errors?: unknown[] } | null)?.errors ?? [])]);
        expect(causes).toContain(thrown);
        if (end === 'error') expect(causes).toContain(failed);
        expect(source.observed).toBe(false);
        source.next(value());
        expect(events.slice(0, 1)).toEqual(['next']);
        expect(events.length).toBeLessThanOrEqual(2);
      },
    );

    it('adds no listener to a signal that outlives it', () => {
      const listeners = new Listeners();
      try {
        for (let i = 0; i < 10; i++) record(concat(of(value()), NEVER)).subscription.unsubscribe();
        for (let i = 0; i < 10; i++) record(of(value()));
        for (let i = 0; i < 10; i++) record(throwError(() => new Error()));
        expect(listeners.left).toBe(0);
      } finally {
        listeners.restore();
      }
    });

    it('hands the clean-up from above to the scope below, whoever ends it', () => {
      for (const end of ['complete', 'error', 'unsubscribe', 'unsubscribe inside next'] as const) {
        const cleanup = {
          then: vi.fn((settled: () => void) => {
            settled();
          }),
        };
        const tracked: unknown[] = [];
        const cleaned = new Observable<Value>((subscriber) => {
          const scope = findCleanupScope(subscriber);
          subscriber.add(() => scope?.track(cleanup as never));
          return source.subscribe(subscriber);
        });
        const source = new Subject<Value>();
        const below = operate<Value, never>({
          cleanupScope: { track: (given) => tracked.push(given) },
          next: () => {
            if (end === 'unsubscribe inside next') below.unsubscribe();
          },
          error: () => undefined,
          complete: () => undefined,
        });
        cleaned.pipe(create()).subscribe(below);
        source.next(value());
        if (end === 'complete') source.complete();
        else if (end === 'error') source.error(new Error());
        else below.unsubscribe();
        expect(tracked.length + cleanup.then.mock.calls.length, end).toBeGreaterThan(0);
      }
    });

    it('passes a hundred thousand values in a flat stack, pushed and pulled', () => {
      const count = 100_000;
      let pushed = 0;
      watch(range(0, count).pipe(map(value), create()), () => pushed++);
      let pulled = 0;
      const values = Array.from({ length: count }, value);
      watch(fromPull(values, { slice: Infinity }).pipe(create()), () => pulled++);
      vi.runAllTimers();
      expect([pushed, pulled]).toEqual([count, count]);
    });

    it(
      'keeps virtual time',
      marbles((m) => {
        const values = { a: value(), b: value(), c: value() };
        m.expect(m.cold('a-(bc)-|', values).pipe(create())).toBeObservable('a-(bc)-|', values);
        const failing = m.cold('a-(bc)-#', values).pipe(create());
        m.expect(failing).toBeObservable('a-(bc)-#', values);
      }),
    );

    describe('leaves no timer behind', () => {
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
