import fc from 'fast-check';
import { Observable, type ObservableInput } from 'rxjs';
import { expect, it } from 'vitest';
import { operate } from '../../src/internal/operate.js';
import type { Canceller, CleanupScope } from '../../src/link/protocol.js';
import { abortable } from '../../src/sources/abortable.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled } from '../support/unhandled.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

const programs = fc.record({
  kind: fc.constantFrom('observable', 'promise'),
  start: fc.oneof(
    { weight: 6, arbitrary: fc.constant('gives') },
    { weight: 1, arbitrary: fc.constantFrom('throws', 'unsubscribes', 'unsubscribes and throws') },
  ),
  scope: fc.boolean(),
  /** Whether somebody below asks work to stop, and whether that is before it begins. */
  canceller: fc.constantFrom('none', 'before', 'later'),
  /** `'rejects'`: it ends because it was aborted. */
  steps: fc.array(fc.constantFrom('value', 'complete', 'error', 'rejects', 'unsubscribe', 'cancel'), { maxLength: 8 }),
});
type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;

interface Outcome {
  readonly log: unknown[];
  readonly calls: number;
  /** The reason of the abort: `'none'` if there was one without, `undefined` if it was not aborted. */
  readonly aborted: string | undefined;
  /** How often the work has been torn down. */
  readonly teardowns: number;
  /** How often it has left the canceller. */
  readonly left: number;
  /** What the scope was given has come to. */
  readonly cleanups: string[];
  /** What was reported as unhandled. */
  readonly unhandled: string[];
}

function expected({ kind, start, scope, canceller, steps }: Program): Outcome {
  const log: unknown[] = [];
  const cleanups: string[] = [];
  const unhandled: string[] = [];
  const left = canceller === 'none' ? 0 : 1;
  if (canceller === 'before') {
    const gone = steps.includes('unsubscribe') ? 1 : 0;
    return { log, calls: 0, aborted: undefined, teardowns: 0, left: gone, cleanups, unhandled };
  }

  let aborted: string | undefined;
  let subscribed = true;
  /** The work itself goes on. */
  let running = start === 'gives' || start === 'unsubscribes';
  const end = (...events: string[]) => {
    log.push(...events);
    subscribed = running = false;
  };
  const failLate = (error: string) => {
    if (scope) cleanups.push(error);
    else if (error !== 'done') unhandled.push(error);
  };
  if (start === 'throws') end('error work');
  if (start.startsWith('unsubscribes')) {
    subscribed = false;
    aborted = 'none';
    if (kind === 'observable') running = false;
  }
  if (start === 'unsubscribes and throws') failLate('work');
  const subscribedOnce = start === 'gives' && kind === 'observable';

  steps.forEach((step, i) => {
    if (step === 'cancel') {
      if (canceller === 'later' && subscribed) aborted ??= 'stop';
    } else if (step === 'unsubscribe') {
      if (!subscribed) return;
      subscribed = false;
      aborted ??= 'none';
      if (kind === 'observable') running = false;
    } else if (!running) return;
    else if (!subscribed) {
      // a promise that goes on
      running = false;
      failLate(step === 'error' ? `error ${String(i)}` : 'done');
    } else if (step === 'value') {
      log.push(i);
      if (kind === 'promise') end('complete');
    } else if (step === 'complete') {
      if (kind === 'promise') log.push(i);
      end('complete');
    } else end(step === 'error' ? `error error ${String(i)}` : `error ${aborted ?? 'none'}`);
  });
  if (scope && running && !subscribed) cleanups.push('pending');
  const teardowns = subscribedOnce && !subscribed ? 1 : 0;
  return { log, calls: 1, aborted, teardowns, left: subscribed ? 0 : left, cleanups, unhandled };
}

const nameOf = (error: unknown) =>
  error instanceof DOMException ? 'none' : error instanceof Error ? error.message : String(error);

async function run({ kind, start, scope, canceller, steps }: Program, reported: unknown[]): Promise<Outcome> {
  const log: unknown[] = [];
  const cleanups: string[] = [];
  let calls = 0;
  let teardowns = 0;
  let left = 0;
  let aborts = 0;
  let signal: AbortSignal | undefined;
  let push: ((step: string, i: number) => void) | undefined;
  let cancel: ((reason: unknown) => void) | undefined;

  const cleanupScope: CleanupScope = {
    track: (cleanup) => {
      const at = cleanups.push('pending') - 1;
      cleanup.then(
        () => (cleanups[at] = 'done'),
        (error: unknown) => (cleanups[at] = nameOf(error)),
      );
    },
  };
  const belowIt: Canceller = {
    onCancel: (given) => {
      if (canceller === 'before') given('stop');
      else cancel = given;
      return () => {
        left++;
        cancel = undefined;
      };
    },
  };
  const subscriber = operate<number, never>({
    cleanupScope: scope ? cleanupScope : undefined,
    canceller: canceller === 'none' ? undefined : belowIt,
    next: (value) => log.push(value),
    error: (error) => log.push(`error ${nameOf(error)}`),
    complete: () => log.push('complete'),
  });

  const reason = () => (signal?.aborted ? (signal.reason as unknown) : new DOMException('x', 'AbortError'));
  const work = (given: AbortSignal): ObservableInput<number> => {
    calls++;
    signal = given;
    given.addEventListener('abort', () => {
      aborts++;
      expect(teardowns).toBe(0);
    });
    if (start.startsWith('unsubscribes')) subscriber.unsubscribe();
    if (start.endsWith('throws')) throw new Error('work');
    if (kind === 'promise') {
      const { promise, resolve, reject } = deferred<number>();
      push = (step, i) => {
        if (step === 'error') reject(new Error(`error ${String(i)}`));
        else if (step === 'rejects') reject(reason());
        else resolve(i);
      };
      return promise;
    }
    return new Observable((inner) => {
      push = (step, i) => {
        if (step === 'value') inner.next(i);
        else if (step === 'complete') inner.complete();
        else inner.error(step === 'error' ? new Error(`error ${String(i)}`) : reason());
      };
      return () => {
        teardowns++;
      };
    });
  };

  abortable(work).subscribe(subscriber);
  for (const [i, step] of steps.entries()) {
    if (step === 'cancel') cancel?.('stop');
    else if (step === 'unsubscribe') subscriber.unsubscribe();
    else push?.(step, i);
    await settle(5);
  }
  await new Promise((resolve) => setTimeout(resolve)); // what is unhandled is reported in a task of its own
  const aborted = signal?.aborted ? nameOf(signal.reason) : undefined;
  expect(aborts).toBe(aborted === undefined ? 0 : 1);
  return { log, calls, aborted, teardowns, left, cleanups, unhandled: reported.splice(0).map(nameOf) };
}

const unhandled = collectUnhandled();

it('aborts what is no longer wanted and only that, and tells of each end once', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(programs, async (program) => {
      expect(await run(program, unhandled)).toEqual(expected(program));
    }),
    { numRuns: 500 * times },
  );
});
