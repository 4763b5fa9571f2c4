import { Observable, type MonoTypeOperatorFunction, type Observer } from 'rxjs';
import type { DeadLetter } from '../errors/DeadLetterError.js';
import { check, optionalFunction, optionsObject, positiveInteger } from '../internal/arguments.js';
import { LetterOperation, type LetterSettings } from '../internal/letters/LetterOperation.js';
import { readCleanupOptions, type CleanupOptions } from '../options/cleanup.js';
import { readName, type NameOptions } from '../options/name.js';

/**
 * Options of `deadLetter`.
 * @public
 */
export interface DeadLetterOptions<V> extends CleanupOptions, NameOptions {
  /** Takes the letter: a function, whose promise or Observable is waited for, or an observer, such as a Subject. Required. */
  to: ((this: void, letter: DeadLetter<V>) => unknown) | Pick<Observer<DeadLetter<V>>, 'next'>;
  /** How many attempts there are, the first included. Default: 3. */
  attempts?: number;
  /** Whether another attempt makes sense after this error; `attempt` counts those that have failed. Default: it does. */
  shouldRetry?(this: void, error: unknown, attempt: number): boolean;
  /** How long to wait before the next attempt, in ms, if it gives a number; with `Infinity` there is none. Default: not at all. */
  delayFor?(this: void, error: unknown, attempt: number): number | undefined;
  /** How long the next attempt waits for clean-up of the last, in ms; `Infinity`: until it has settled. Default: 5000. */
  cleanupTimeout?: number;
}

/**
 * Gives a value up when the work for it has failed for good, hands it over with its errors, and completes.
 *
 * ```marble
 * first attempt                                        -a#
 * second attempt                                       ---b#
 * write                                                -------|
 * deadLetter(order, { attempts: 2, to: () => write })  -a-b---|
 * ```
 *
 * For the work of one value, inside of `bufferedMergeMap` or any operator like it: `work(value).pipe(deadLetter(value, options))`. So
 * one value that cannot be processed (a poison message) does not end the stream. The letter holds the value, the error and the time of each attempt,
 * as the dead-letter queues of RabbitMQ, SQS and Kafka do. What `to` gives is waited for, and keeps the slot meanwhile: where letters cannot
 * be written as fast as they come, the source waits.
 *
 * An attempt is a subscription: the source has to be work that can begin anew (`defer`, `abortable`), and not `from(promise)`, which
 * fails again with the same error. For waits that grow, put `retryBackoff` above it, and `attempts: 1`: then the letter has the last
 * error only.
 *
 * - **Completes** with the source, or when the letter has been delivered.
 * - **Errors** with a `DeadLetterError`, which holds the letter, when `to` fails: nothing is lost in silence; with what `shouldRetry` or
 *   `delayFor` throws; and with the error of the source, as it is and without a letter, when a consumer below has asked all work to stop.
 * - **Unsubscribed** before the last attempt has failed, it stops, and there is no letter. After that the letter is delivered, and
 *   the nearest consumer below that waits for clean-up waits for that; where it fails then, it is the same `DeadLetterError`.
 * - **Backpressure**: the source sees the consumer below.
 * - **Drops** nothing. Values that came before a failure have passed. A Subject as `to` drops what nobody listens to.
 * - **Rather** `retryBackoff` where the stream should end, `settle` to have the error among the values.
 *
 * @throws RangeError if called with an option out of range
 * @throws TypeError if `to` is missing or an option is of another type
 *
 * @example
 * ```ts
 * import { defer } from 'rxjs';
 * import { bufferedMergeMap, deadLetter, fromPull, type DeadLetter } from 'rxjs-flow-control';
 *
 * const send = async (order: number) => {
 *   if (order === 2) throw new Error('no such article');
 *   return `sent ${order}`;
 * };
 * const to = async ({ value, attempts, error }: DeadLetter<number>) => console.log(`${value}: ${attempts} times ${error}`);
 *
 * fromPull([1, 2, 3])
 *   .pipe(bufferedMergeMap((order) => defer(() => send(order)).pipe(deadLetter(order, { to })), { concurrent: 1 }))
 *   .subscribe(console.log);
 * // prints: sent 1, 2: 3 times Error: no such article, sent 3
 * ```
 * @public
 */
export function deadLetter<T, V>(value: V, options: DeadLetterOptions<V>): MonoTypeOperatorFunction<T> {
  const settings = readOptions(options);

  return (source) =>
    new Observable((destination) => {
      new LetterOperation(destination, source, value, settings).start();
    });
}

function readOptions<V>(options: DeadLetterOptions<V>): LetterSettings<V> {
  const { to, attempts = 3 } = optionsObject(options);
  return {
    attempts: positiveInteger('attempts', attempts),
    shouldRetry: optionalFunction('shouldRetry', options.shouldRetry),
    delayFor: optionalFunction('delayFor', options.delayFor),
    to: readReceiver(to),
    patience: readCleanupOptions(options),
    where: readName('deadLetter', options),
  };
}

function readReceiver<V>(to: DeadLetterOptions<V>['to']): LetterSettings<V>['to'] {
  if (typeof to === 'function') return to;
  const holds = typeof (to as Partial<Observer<unknown>> | undefined | null)?.next === 'function';
  check(holds, TypeError, 'to', "be a function or have a function 'next'", to);
  return (letter) => {
    to.next(letter);
  };
}
