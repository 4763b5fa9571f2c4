import fc from 'fast-check';
import { config, Observable } from 'rxjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CleanupTimeoutError } from '../../src/errors/CleanupTimeoutError.js';
import type { Task, TaskContext, TaskScope, TaskState } from '../../src/internal/tasks/TaskScope.js';
import { findCleanupScope } from '../../src/link/walk.js';
import { taskScope } from '../../src/resources/taskScope.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { collectRejections } from '../support/rejections.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

collectRejections(); // a scope that is joined only later is loud
const unhandled: unknown[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  config.onUnhandledError = (error: unknown) => unhandled.push(error);
});
afterEach(() => {
  config.onUnhandledError = null;
  vi.useRealTimers();
});

const often = <T>(value: T, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, { weight: 1, arbitrary });
const moment = often<number | undefined>(undefined, fc.nat(20));
/** In ms; `undefined`: never. */
const span = often<number | undefined>(2, fc.option(fc.nat(8), { nil: undefined }));

const tasks = fc.record({
  at: fc.nat(12),
  kind: fc.constantFrom('observable', 'promise', 'deaf promise'),
  takes: span,
  fails: often(false, fc.boolean()),
  cleanupTakes: span,
  cleanupFails: often(false, fc.boolean()),
  cancelledAt: moment,
  calledOffAt: moment,
  /** How many it runs beside it, from its function. */
  runs: often(0, fc.nat(2)),
  /** Whether it runs those in a scope of its own. */
  forks: fc.boolean(),
});
type TaskPlan = typeof tasks extends fc.Arbitrary<infer T> ? T : never;

const programs = fc.record({
  concurrent: fc.constantFrom(1, 2, 3, Infinity),
  onError: fc.constantFrom('cancel-all' as const, 'settle' as const),
  cleanupTimeout: fc.constantFrom(0, 3, 10),
  tasks: fc.array(tasks, { maxLength: 7, size: 'max' }),
  cancelledAt: moment,
  calledOffAt: moment,
});

const order: readonly TaskState[] = ['waiting', 'running', 'stopping', 'fulfilled'];
const rank = (state: TaskState) => (order.includes(state) ? order.indexOf(state) : 3);

/** All errors in it; those that are several in one. */
const flat = (error: unknown): unknown[] =>
  error instanceof AggregateError ? (error.errors as unknown[]).flatMap(flat) : [error];

it('every task ends once, nothing outlives the scope, and every failure is told exactly once', async () => {
  await fc.assert(
    fc.asyncProperty(programs, async (program) => {
      const { concurrent, onError, cleanupTimeout } = program;
      const [parent, own] = [new CountedSignal(), new CountedSignal()];
      const scope = taskScope({ concurrent, onError, cleanupTimeout, bufferSize: Infinity, signal: parent.signal });
      /** What has really failed. */
      const made: unknown[] = [];
      const fail = (text: string) => {
        const error = new Error(text);
        made.push(error);
        return error;
      };
      const runs: { task: Task; seen: TaskState; started: number; toredown: number; inChild: boolean }[] = [];
      let over = false;
      let calledOff = false;
      unhandled.length = 0;

      const run = (plan: TaskPlan, where: TaskScope, depth: number, inChild: boolean) => {
        const entry = {
          task: undefined as unknown as Task,
          seen: 'waiting' as TaskState,
          started: 0,
          toredown: 0,
          inChild,
        };
        const body = (context: TaskContext) => {
          entry.started++;
          expect(over).toBe(false);
          if (depth < 2 && plan.runs > 0) {
            const child = plan.forks ? context.fork({ onError }) : context.scope;
            for (let i = 0; i < plan.runs; i++) run({ ...plan, takes: i + 1 }, child, depth + 1, inChild || plan.forks);
          }
          return plan.kind === 'observable' ? observable(plan, entry) : promise(plan, context.signal);
        };
        try {
          entry.task = where.run(
            body as () => Observable<number>,
            plan.calledOffAt === undefined ? {} : { signal: own.signal },
          );
        } catch {
          return; // closed
        }
        if (onError === 'settle') entry.task.result.catch(() => undefined);
        runs.push(entry);
        if (plan.cancelledAt !== undefined)
          setTimeout(() => {
            entry.task.cancel();
          }, plan.cancelledAt);
      };

      const observable = (plan: TaskPlan, entry: { toredown: number }) =>
        new Observable<number>((subscriber) => {
          const cleanups = findCleanupScope(subscriber);
          subscriber.add(() => {
            entry.toredown++;
            cleanups?.track(
              new Promise<void>((resolve, reject) => {
                if (plan.cleanupTakes === undefined) return;
                setTimeout(() => {
                  if (plan.cleanupFails) reject(fail('clean-up'));
                  else resolve();
                }, plan.cleanupTakes);
              }),
            );
          });
          if (plan.takes === undefined) return;
          const timer = setTimeout(() => {
            if (plan.fails) subscriber.error(fail('task'));
            else {
              subscriber.next(1);
              subscriber.complete();
            }
          }, plan.takes);
          subscriber.add(() => {
            clearTimeout(timer);
          });
        });

      const promise = (plan: TaskPlan, signal: AbortSignal) =>
        new Promise<number>((resolve, reject) => {
          const end = () => {
            signal.removeEventListener('abort', stop);
            if (plan.fails) reject(fail('task'));
            else resolve(1);
          };
          const timer = plan.takes === undefined ? undefined : setTimeout(end, plan.takes);
          const stop = () => {
            clearTimeout(timer);
            if (plan.cleanupTakes === undefined) return;
            setTimeout(() => {
              reject(plan.cleanupFails ? fail('clean-up') : (signal.reason as Error));
            }, plan.cleanupTakes);
          };
          if (plan.kind === 'promise') signal.addEventListener('abort', stop);
        });

      const look = () => {
        let active = 0;
        for (const each of runs) {
          const { state } = each.task;
          expect(rank(state)).toBeGreaterThanOrEqual(rank(each.seen));
          if (rank(each.seen) === 3) expect(state).toBe(each.seen);
          each.seen = state;
          if (!each.inChild && (state === 'running' || state === 'stopping')) active++;
        }
        expect(active).toBeLessThanOrEqual(concurrent);
      };

      const sizes: (number | string)[] = [];
      scope.tasks$.subscribe({
        next: (present) => {
          look();
          for (const { state } of present) expect(over && rank(state) < 3).toBe(false);
          sizes.push(present.length);
        },
        complete: () => {
          sizes.push('complete');
          calledOff = parent.signal.aborted;
        },
      });
      for (const plan of program.tasks) setTimeout(run, plan.at, plan, scope, 0, false);
      for (const plan of program.tasks)
        if (plan.calledOffAt !== undefined)
          setTimeout(() => {
            own.abort();
          }, plan.calledOffAt);
      if (program.cancelledAt !== undefined)
        setTimeout(() => void scope.cancel().catch(() => undefined), program.cancelledAt);
      if (program.calledOffAt !== undefined)
        setTimeout(() => {
          parent.abort(new Error('called off'));
        }, program.calledOffAt);
      await vi.advanceTimersByTimeAsync(30);

      // What still hangs is cancelled: then join settles, at the latest when the clean-ups of one in another are too late.
      const joined = scope.join().then(
        () => undefined,
        (error: unknown) => error,
      );
      void joined.then(() => (over = true));
      void scope.cancel().catch(() => undefined);
      await vi.advanceTimersByTimeAsync(cleanupTimeout || 1); // fake timers: 0 within a tick is 1
      expect(over).toBe(true);
      look();
      for (const each of runs) {
        expect([3, each.started <= 1, each.toredown <= each.started]).toEqual([rank(each.task.state), true, true]);
        if (each.started === 0) expect(each.task.state).toBe('cancelled');
      }
      expect(sizes.slice(-2)).toEqual([0, 'complete']);
      expect(sizes.indexOf('complete')).toBe(sizes.length - 1);
      expect([own.listeners, parent.listeners]).toEqual([0, 0]);

      await vi.advanceTimersByTimeAsync(60); // what was too late
      expect(vi.getTimerCount()).toBe(0);

      const error = await joined;
      const told = unhandled.flatMap(flat);
      if (onError === 'cancel-all') {
        if (error instanceof AggregateError) told.push(...flat(error));
        else expect(error).toBe(calledOff ? parent.signal.reason : undefined);
      } else {
        expect(error).toBe(calledOff ? parent.signal.reason : undefined);
        for (const { task } of runs)
          if (task.state === 'rejected') told.push(...flat(await task.result.catch((failure: unknown) => failure)));
      }
      const failures = told.filter((each) => !(each instanceof CleanupTimeoutError));
      expect(new Set(failures)).toEqual(new Set(made));
      expect(failures.length).toBe(made.length);
    }),
    { numRuns: 400 * times },
  );
});
