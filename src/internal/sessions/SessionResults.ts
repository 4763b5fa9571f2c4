import type { Subscriber } from 'rxjs';
import { BufferOverflowError } from '../../errors/BufferOverflowError.js';
import type { Gate } from '../../link/protocol.js';
import { ResultOutlet } from '../merge/ResultOutlet.js';
import type { SessionsEnd } from './SessionsEnd.js';

interface Held {
  hold(): void;
  release(): void;
}

interface ResultSettings {
  readonly bufferSize: number;
  readonly where: string;
  /** Each session may have one result that waits. */
  readonly sessions: () => number;
  /** All that may go has gone. */
  readonly onIdle: () => void;
}

/** Where the results of all handlers leave; above a consumer that can be full they may wait, and keep their session meanwhile. */
export class SessionResults<Slot extends Held, R> {
  private readonly outlet: ResultOutlet<Slot, R> | undefined;

  constructor(
    private readonly destination: Subscriber<R>,
    below: Gate | undefined,
    settings: ResultSettings,
    private readonly end: Pick<SessionsEnd<unknown, unknown, R>, 'closed' | 'fail' | 'drops'>,
  ) {
    const { bufferSize, where, sessions, onIdle } = settings;
    if (!below) return;
    this.outlet = new ResultOutlet<Slot, R>({
      destination,
      below,
      ordered: false,
      capacity: () => sessions() + bufferSize,
      onFull: (result, waiting) => {
        end.fail(new BufferOverflowError(where, 'results', waiting));
        end.drops.result(result);
      },
      onDelivered: (slot) => {
        slot.release();
      },
      onIdle,
    });
  }

  /** For the handlers. */
  get gate(): Gate | undefined {
    return this.outlet?.sharedGate;
  }

  emit(result: R, slot: Slot): void {
    if (this.outlet) this.outlet.emit(result, slot);
    else if (!this.end.closed) this.destination.next(result); // an error may wait for clean-up, in which handlers still emit
  }

  /** Nothing leaves any more. */
  close(): void {
    this.outlet?.close();
  }

  /** Hands over what waits. */
  drop(): void {
    for (const result of this.outlet?.takeAll() ?? []) this.end.drops.result(result);
  }
}
