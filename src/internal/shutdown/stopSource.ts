import { from, type Observable, type ObservableInput, type Subscription } from 'rxjs';
import type { CleanupScope } from '../../link/protocol.js';
import { leaveAbort, listenToAbort } from '../abortLine.js';
import { shown } from '../arguments.js';
import { operate } from '../operate.js';
import { joinOf, type Join } from './participation.js';
import type { Shutdown } from './Shutdown.js';

/**
 * What stops a pipeline: a `Shutdown`, in which it takes part then; an `AbortSignal`; or the first value of a notifier.
 * @public
 */
export type StopSource = Shutdown | AbortSignal | ObservableInput<unknown>;

interface Stoppable {
  stop(reason: unknown): void;
  fail(error: unknown): void;
}

/** A stop source that has been checked. */
export interface StopListening {
  /** Of a `Shutdown`. */
  readonly join?: Join;
  /** Tells `stoppable`, at once if it is to stop already. Whatever is added to `listening` has to be unsubscribed afterwards. */
  listen(stoppable: Stoppable, listening: Subscription, scope: CleanupScope): void;
}

export function readStopSource(on: StopSource): StopListening {
  const join = joinOf(on);
  if (join) return { join, listen: () => undefined };
  return isSignal(on) ? listensToSignal(on) : listensToNotifier(notifierOf(on as ObservableInput<unknown>));
}

function listensToSignal(signal: AbortSignal): StopListening {
  return {
    listen: (stoppable, listening) => {
      const stop = {
        aborted: () => {
          stoppable.stop(signal.reason);
        },
      };
      if (signal.aborted) stop.aborted();
      else {
        listenToAbort(signal, stop);
        listening.add(() => {
          leaveAbort(signal, stop);
        });
      }
    },
  };
}

/** It runs ungated: there is no destination, and a consumer that is full must not hold it up. */
function listensToNotifier(notifier: Observable<unknown>): StopListening {
  return {
    listen: (stoppable, listening, cleanupScope) => {
      const subscriber = operate<unknown, never>({
        cleanupScope,
        next: (value) => {
          stoppable.stop(value);
        },
        error: (error) => {
          stoppable.fail(error);
        },
        complete: () => undefined,
      });
      listening.add(subscriber);
      notifier.subscribe(subscriber);
    },
  };
}

function isSignal(on: unknown): on is AbortSignal {
  const { aborted, addEventListener } = (on ?? {}) as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}

/** A string would be one, of letters, and stop at once. */
function notifierOf(on: ObservableInput<unknown>): Observable<unknown> {
  let notifier: Observable<unknown> | undefined;
  try {
    notifier = typeof on === 'string' ? undefined : from(on);
  } catch {
    // It is told below, as with every other argument.
  }
  if (notifier) return notifier;
  throw new TypeError(
    `on must be a Shutdown, an AbortSignal or an ObservableInput that is no string, got ${shown(on)}`,
  );
}
