import fc from 'fast-check';
import { Observable, Subject, type Observer } from 'rxjs';
import { expect, it } from 'vitest';
import { toAbortSignal } from '../../src/index.js';

const times = Number(process.env['RUNS'] ?? 1);

const programs = fc.record({
  /** How many of the steps happen while it subscribes. */
  synchronous: fc.nat(3),
  steps: fc.array(fc.constantFrom('value', 'failure as value', 'error', 'complete'), { maxLength: 8 }),
});

it('is aborted once, by the first value or error, and lets its notifier go then', () => {
  fc.assert(
    fc.property(programs, ({ synchronous, steps }) => {
      const failures = steps.map((step, i) => new Error(`${step} ${String(i)}`));
      const late = new Subject<unknown>();
      const act = (to: Observer<unknown>, i: number) => {
        const step = steps[i];
        if (step === 'value') to.next(i);
        else if (step === 'failure as value') to.next(failures[i]);
        else if (step === 'error') to.error(failures[i]);
        else to.complete();
      };
      let teardowns = 0;
      const notifier = new Observable<unknown>((subscriber) => {
        subscriber.add(() => teardowns++);
        subscriber.add(late.subscribe(subscriber));
        for (let i = 0; i < Math.min(synchronous, steps.length); i++) act(subscriber, i);
      });

      const signal = toAbortSignal(notifier);
      let aborts = 0;
      signal.addEventListener('abort', () => aborts++);
      const abortedBefore = signal.aborted;
      for (let i = synchronous; i < steps.length; i++) act(late, i);

      const [first] = steps;
      const ended = first !== undefined;
      const isAborted = ended && first !== 'complete';
      expect(signal.aborted).toBe(isAborted);
      expect(aborts).toBe(isAborted && !abortedBefore ? 1 : 0);
      if (isAborted && first !== 'value') expect(signal.reason).toBe(failures[0]);
      else if (isAborted) expect(signal.reason).toMatchObject({ name: 'AbortError' });
      expect(late.observed).toBe(!ended);
      expect(teardowns).toBe(ended ? 1 : 0);
    }),
    { numRuns: 500 * times },
  );
});
