import { noop, type Subscriber } from 'rxjs';
import { operate } from '../operate.js';
import { StopRequest } from '../StopRequest.js';
import type { Breaker } from './Breaker.js';

/** One call through a breaker: `begin` is called with who takes its result, unless it is refused. */
export function passCall<T>(
  breaker: Breaker,
  destination: Subscriber<T>,
  begin: (subscriber: Subscriber<T>) => void,
): void {
  if (destination.closed) return;
  const call = breaker.start();
  if (!call) {
    destination.error(breaker.refusal());
    return;
  }
  const stopRequest = new StopRequest(destination, noop);
  let delivering = false;

  const subscriber = operate<T, T>({
    destination,
    next: (value) => {
      const outer = delivering; // the consumer may push into the source
      delivering = true;
      destination.next(value);
      delivering = outer;
    },
    // The breaker is told before the consumer, who may come back at once.
    error: (error) => {
      breaker.end(call, stopRequest.isMade ? 'none' : breaker.outcomeOf(error));
      destination.error(error);
    },
    complete: () => {
      breaker.end(call, 'success');
      destination.complete();
    },
    finalize: () => {
      stopRequest.leave();
      // A consumer that has enough with the value that it is given has got what it wanted.
      if (!call.ended) breaker.end(call, delivering ? 'success' : 'none');
    },
  });
  stopRequest.join();
  if (!destination.closed) begin(subscriber); // who watches the breaker may have had enough of it
}
