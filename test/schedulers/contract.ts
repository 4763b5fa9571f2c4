import {
  bufferTime,
  concatAll,
  concatWith,
  debounceTime,
  delay,
  interval,
  map,
  merge,
  NEVER,
  observeOn,
  of,
  scheduled,
  subscribeOn,
  Subscription,
  take,
  throttleTime,
  timeout,
  timer,
  type Observable,
  type SchedulerAction,
  type SchedulerLike,
} from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

/** A scheduler and the time in which it lives. */
export interface Stage {
  readonly scheduler: SchedulerLike;
  /** Lets time pass, and everything run that is due then. Rejects with what work has thrown. */
  readonly pass: (ms: number) => Promise<unknown>;
  /** How many timers are set or actions wait. */
  readonly left: () => number;
  readonly close?: () => void;
}

/** In what a scheduler may differ. */
export interface Traits {
  /** Of the actions that are scheduled without a delay while none runs, each runs within `schedule()`. */
  readonly startsAtOnce?: boolean;
  /** An action that is scheduled again is another one. */
  readonly newActionEachTime?: boolean;
  /** What work throws takes all the other actions along. */
  readonly errorStopsOthers?: boolean;
}

/** What RxJS's operators rely on: whatever schedules for them has to pass. */
export function schedulerContract(name: string, open: () => Stage, traits: Traits = {}): void {
  const { startsAtOnce = false, newActionEachTime = false, errorStopsOthers = false } = traits;

  describe(`${name}, as any scheduler,`, () => {
    let stage: Stage | undefined;
    const start = (): Stage => (stage = open());

    afterEach(() => {
      const left = stage?.left();
      stage?.close?.();
      expect(left).toBe(0);
    });

    it('runs work once, with its state, as a method of its action', async () => {
      const { scheduler, pass } = start();
      const calls: unknown[][] = [];
      const action = scheduler.schedule(
        function (this: unknown, ...args: unknown[]) {
          calls.push([this, ...args]);
        },
        0,
        'state',
      );
      await pass(5);
      expect(calls).toEqual([[expect.anything(), 'state']]);
      expect(calls[0]?.[0]).toBe(action);
    });

    it.runIf(startsAtOnce)('runs the first action within schedule(), and what that schedules after it', () => {
      const { scheduler } = start();
      const log: string[] = [];
      scheduler.schedule(() => {
        scheduler.schedule(() => log.push('inner'));
        log.push('outer');
      });
      expect(log).toEqual(['outer', 'inner']);
    });

    it.skipIf(startsAtOnce)('never runs within schedule()', async () => {
      const { scheduler, pass } = start();
      const log: string[] = [];
      scheduler.schedule(() => {
        log.push('outer starts');
        scheduler.schedule(() => log.push('inner'));
        log.push('outer ends');
      });
      expect(log).toEqual([]);
      await pass(5);
      expect(log).toEqual(['outer starts', 'outer ends', 'inner']);
    });

    it('runs what has no delay in the order in which it was scheduled', async () => {
      const { scheduler, pass } = start();
      const log: number[] = [];
      for (let i = 0; i < 100; i++) scheduler.schedule((state) => log.push(state), 0, i);
      await pass(5);
      expect(log).toEqual(Array.from({ length: 100 }, (_, i) => i));
    });

    it('lets an action that is scheduled by another wait behind those that wait already', async () => {
      const { scheduler, pass } = start();
      const log: string[] = [];
      scheduler.schedule(() => {
        scheduler.schedule(() => {
          log.push('a');
          scheduler.schedule(() => log.push('c'));
        });
        scheduler.schedule(() => log.push('b'));
      });
      await pass(5);
      expect(log).toEqual(['a', 'b', 'c']);
    });

    it('runs delayed actions when they are due, in the order of their due times', async () => {
      const { scheduler, pass } = start();
      const log: string[] = [];
      const begin = scheduler.now();
      for (const [state, ms] of [
        ['c', 30],
        ['a', 10],
        ['d', 30],
        ['b', 20],
      ] as const) {
        // prettier-ignore
        scheduler.schedule(() => log.push(`${state} ${String(scheduler.now() - begin)}`), ms);
      }
      await pass(9);
      expect(log).toEqual([]);
      await pass(1);
      expect(log).toEqual(['a 10']);
      await pass(25);
      expect(log).toEqual(['a 10', 'b 20', 'c 30', 'd 30']);
    });

    it('counts a delay from when it is scheduled', async () => {
      const { scheduler, pass } = start();
      const log: string[] = [];
      scheduler.schedule(() => log.push('late'), 30);
      await pass(15);
      scheduler.schedule(() => log.push('early'), 10);
      await pass(11);
      expect(log).toEqual(['early']);
      await pass(10);
      expect(log).toEqual(['early', 'late']);
    });

    describe('recursion', () => {
      it('schedules the action itself, with a new state', async () => {
        const { scheduler, pass } = start();
        const log: unknown[] = [];
        const actions = new Set<unknown>();
        scheduler.schedule(
          function (this: SchedulerAction<number>, state) {
            actions.add(this);
            log.push(state);
            if (state !== undefined && state > 1) this.schedule(state - 1);
            else if (state === 1) this.schedule();
          },
          0,
          3,
        );
        await pass(10);
        expect(log).toEqual([3, 2, 1, undefined]);
        expect(actions.size).toBe(newActionEachTime ? 4 : 1);
      });

      it('is not nested', async () => {
        const { scheduler, pass } = start();
        const log: string[] = [];
        scheduler.schedule(
          function (this: SchedulerAction<number>, state = 0) {
            log.push(`${String(state)} starts`);
            if (state < 3) this.schedule(state + 1);
            log.push(`${String(state)} ends`);
          },
          0,
          1,
        );
        await pass(10);
        expect(log).toEqual(['1 starts', '1 ends', '2 starts', '2 ends', '3 starts', '3 ends']);
      });

      it('has a delay of its own each time', async () => {
        const { scheduler, pass } = start();
        const times: number[] = [];
        const begin = scheduler.now();
        scheduler.schedule(
          function (this: SchedulerAction<number>, state = 0) {
            times.push(scheduler.now() - begin);
            if (state > 0) this.schedule(state - 1, state === 3 ? 10 : 5);
          },
          10,
          4,
        );
        await pass(100);
        expect(times).toEqual([10, 15, 25, 30, 35]);
      });

      it('ends when the first subscription is unsubscribed', async () => {
        const { scheduler, pass } = start();
        let runs = 0;
        const action = scheduler.schedule(function (this: SchedulerAction<unknown>) {
          runs++;
          this.schedule(undefined, 10);
        }, 10);
        await pass(35);
        expect(runs).toBe(3);
        action.unsubscribe();
        await pass(100);
        expect(runs).toBe(3);
      });

      it('may begin again after a pause, from outside', async () => {
        const { scheduler, pass } = start();
        const log: unknown[] = [];
        const first = scheduler.schedule((state) => log.push(state), 10, 'first');
        await pass(20);
        (first as SchedulerAction<string>).schedule('second', 10);
        await pass(9);
        expect(log).toEqual(['first']);
        await pass(1);
        expect(log).toEqual(['first', 'second']);
      });

      it.skipIf(newActionEachTime)('replaces what the action waited for', async () => {
        const { scheduler, pass } = start();
        const log: string[] = [];
        const action = scheduler.schedule((state) => log.push(state), 10, 'a') as SchedulerAction<string>;
        await pass(5);
        action.schedule('b', 20);
        await pass(5);
        action.schedule('c', 30);
        await pass(29);
        expect(log).toEqual([]);
        await pass(1);
        expect(log).toEqual(['c']);
        await pass(50);
        expect(log).toEqual(['c']);
      });
    });

    describe('unsubscribed', () => {
      it.skipIf(startsAtOnce)('while it waits, an action does not run', async () => {
        const { scheduler, pass } = start();
        const log: string[] = [];
        const [a, , c] = ['a', 'b', 'c'].map((state) => scheduler.schedule(() => log.push(state)));
        a?.unsubscribe();
        c?.unsubscribe();
        await pass(5);
        expect(log).toEqual(['b']);
      });

      it.skipIf(startsAtOnce)(
        'and scheduled in turn, leaves nothing behind and does not stop what comes later',
        async () => {
          const { scheduler, pass } = start();
          const log: number[] = [];
          for (let i = 0; i < 5; i++) scheduler.schedule(() => log.push(-1)).unsubscribe();
          scheduler.schedule(() => log.push(1));
          await pass(5);
          expect(log).toEqual([1]);
        },
      );

      it('during its delay, an action does not run', async () => {
        const { scheduler, pass } = start();
        const log: string[] = [];
        const [a, , c] = ['a', 'b', 'c'].map((state) => scheduler.schedule(() => log.push(state), 10));
        await pass(5);
        a?.unsubscribe();
        c?.unsubscribe();
        await pass(50);
        expect(log).toEqual(['b']);
      });

      it('by an action that runs before it, an action does not run', async () => {
        const { scheduler, pass } = start();
        const log: string[] = [];
        scheduler.schedule(() => {
          const others = new Subscription();
          scheduler.schedule(() => {
            log.push('a');
            others.unsubscribe();
          });
          others.add(scheduler.schedule(() => log.push('b')));
          others.add(scheduler.schedule(() => log.push('c'), 10));
          scheduler.schedule(() => log.push('d'));
        });
        await pass(50);
        expect(log).toEqual(['a', 'd']);
      });

      it('inside its work, an action cannot be scheduled again', async () => {
        const { scheduler, pass } = start();
        let runs = 0;
        const action = scheduler.schedule(function (this: SchedulerAction<unknown>) {
          runs++;
          this.unsubscribe();
          this.schedule(undefined, 10);
        }, 10);
        await pass(50);
        expect(runs).toBe(1);
        expect(action.closed).toBe(true);
      });

      it('inside its work after it was scheduled again, an action does not run again', async () => {
        const { scheduler, pass } = start();
        let runs = 0;
        scheduler.schedule(function (this: SchedulerAction<unknown>) {
          runs++;
          this.schedule(undefined, 10);
          this.unsubscribe();
        }, 10);
        await pass(50);
        expect(runs).toBe(1);
      });

      it('it runs its teardown, once', async () => {
        const { scheduler, pass } = start();
        let teardowns = 0;
        const action = scheduler.schedule(() => undefined, 10);
        action.add(() => teardowns++);
        await pass(20);
        expect([action.closed, teardowns]).toEqual([false, 0]);
        action.unsubscribe();
        action.unsubscribe();
        expect([action.closed, teardowns]).toEqual([true, 1]);
      });

      it('with what it was added to, an action does not run', async () => {
        const { scheduler, pass } = start();
        const parent = new Subscription();
        const log: string[] = [];
        parent.add(scheduler.schedule(() => log.push('a'), 10));
        parent.unsubscribe();
        parent.add(scheduler.schedule(() => log.push('b'), 10));
        await pass(50);
        expect(log).toEqual([]);
      });
    });

    describe('when work throws', () => {
      it('does not hide it, ends that action, and goes on', async () => {
        const { scheduler, pass } = start();
        const error = new Error('work');
        const log: string[] = [];
        const action = scheduler.schedule(function (this: SchedulerAction<unknown>) {
          log.push('throws');
          this.schedule(undefined, 10);
          throw error;
        }, 10);
        await expect(pass(20)).rejects.toBe(error);
        expect(action.closed).toBe(true);
        scheduler.schedule(() => log.push('later'), 10);
        await pass(50);
        expect(log).toEqual(['throws', 'later']);
      });

      it.skipIf(errorStopsOthers)('runs the others', async () => {
        const { scheduler, pass } = start();
        const log: string[] = [];
        scheduler.schedule(() => log.push('a'), 10);
        scheduler.schedule(() => {
          throw new Error('work');
        }, 10);
        scheduler.schedule(() => log.push('b'), 10);
        scheduler.schedule(() => log.push('c'), 15);
        await expect(pass(50)).rejects.toThrow('work');
        expect(log).toEqual(['a', 'b', 'c']);
      });
    });

    it('has a clock that goes on', async () => {
      const { scheduler, pass } = start();
      const begin = scheduler.now();
      await pass(50);
      expect(scheduler.now() - begin).toBe(50);
    });

    describe('in operators', () => {
      /** Numbers that are the times at which they come. */
      const at = (scheduler: SchedulerLike, ...times: number[]) =>
        merge(...times.map((time) => timer(time, scheduler).pipe(map(() => time))));

      it.each<[string, (scheduler: SchedulerLike) => Observable<unknown>]>([
        ['observeOn', (s) => of(1, 2, 3).pipe(observeOn(s))],
        ['subscribeOn', (s) => of(1, 2, 3).pipe(subscribeOn(s))],
        ['a scheduled array', (s) => scheduled([1, 2, 3], s)],
        ['a scheduled iterable', (s) => scheduled(new Set([1, 2, 3]), s)],
        ['a scheduled promise', (s) => scheduled(Promise.resolve([1, 2, 3]), s).pipe(concatAll())],
        ['several of them', (s) => scheduled([1, 2, 3], s).pipe(observeOn(s), subscribeOn(s), observeOn(s))],
      ])('%s keeps the order', async (_, apply) => {
        const { scheduler, pass } = start();
        const log: unknown[] = [];
        apply(scheduler).subscribe({ next: (value) => log.push(value), complete: () => log.push('|') });
        for (let i = 0; i < 20; i++) await pass(1);
        expect(log).toEqual([1, 2, 3, '|']);
      });

      it.each<[string, (scheduler: SchedulerLike) => Observable<unknown>, string]>([
        ['observeOn with a delay', (s) => of(1, 2).pipe(observeOn(s, 10)), '1@10 2@10 |@10'],
        ['subscribeOn with a delay', (s) => of(1, 2).pipe(subscribeOn(s, 10)), '1@10 2@10 |@10'],
        ['timer', (s) => timer(10, s), '0@10 |@10'],
        ['timer with an interval', (s) => timer(10, 5, s).pipe(take(3)), '0@10 1@15 2@20 |@20'],
        ['timer until a date', (s) => timer(new Date(s.now() + 10), s), '0@10 |@10'],
        ['interval', (s) => interval(10, s).pipe(take(3)), '0@10 1@20 2@30 |@30'],
        ['delay', (s) => at(s, 10, 20).pipe(delay(5, s)), '10@15 20@25 |@25'],
        ['debounceTime', (s) => at(s, 10, 13, 30).pipe(debounceTime(5, s)), '13@18 30@30 |@30'],
        ['throttleTime', (s) => at(s, 10, 13, 30).pipe(throttleTime(5, s)), '10@10 30@30 |@30'],
        ['bufferTime', (s) => at(s, 3, 7, 13, 25).pipe(bufferTime(10, s)), '[3,7]@10 [13]@20 [25]@25 |@25'],
        [
          'timeout that does not expire',
          (s) => at(s, 5, 15).pipe(timeout({ each: 11, scheduler: s })),
          '5@5 15@15 |@15',
        ],
        ['timeout', (s) => at(s, 5, 30).pipe(timeout({ each: 10, scheduler: s })), '5@5 TimeoutError@15'],
      ])('%s keeps time', async (_, apply, expected) => {
        const { scheduler, pass } = start();
        const log: string[] = [];
        const begin = scheduler.now();
        const note = (what: string) => log.push(`${what}@${String(scheduler.now() - begin)}`);
        apply(scheduler).subscribe({
          next: (value) => note(JSON.stringify(value)),
          error: (error: unknown) => note((error as Error).name),
          complete: () => note('|'),
        });
        await pass(100);
        expect(log.join(' ')).toBe(expected);
      });

      it.each<[string, (scheduler: SchedulerLike) => Observable<unknown>]>([
        ['observeOn', (s) => of(1).pipe(observeOn(s, 20))],
        ['subscribeOn', (s) => of(1).pipe(subscribeOn(s, 20))],
        ['interval', (s) => interval(7, s)],
        ['delay', (s) => at(s, 2).pipe(delay(20, s))],
        ['debounceTime', (s) => at(s, 2).pipe(concatWith(NEVER), debounceTime(20, s))],
        ['throttleTime', (s) => at(s, 2).pipe(concatWith(NEVER), throttleTime(20, s))],
        ['bufferTime', (s) => at(s, 2).pipe(concatWith(NEVER), bufferTime(7, s))],
        ['timeout', (s) => at(s, 2).pipe(concatWith(NEVER), timeout({ each: 20, scheduler: s }))],
      ])('%s leaves nothing when it is unsubscribed', async (_, apply) => {
        const { scheduler, pass, left } = start();
        const subscription = apply(scheduler).subscribe();
        await pass(10);
        subscription.unsubscribe();
        expect(left()).toBe(0);
      });
    });
  });
}
