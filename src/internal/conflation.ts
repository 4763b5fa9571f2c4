import { Observable, type OperatorFunction } from 'rxjs';
import { Passage } from '../link/Passage.js';
import { findGate } from '../link/walk.js';
import { RingBuffer } from '../machines/RingBuffer.js';
import { drainLoop } from './drainLoop.js';
import { Losses } from './Losses.js';
import { operate } from './operate.js';

export interface ConflationSettings<T, Merged> {
  readonly seed: (value: T) => Merged;
  readonly merge: (waiting: Merged, value: T) => Merged;
  /** Sees what waited before `merge` took its place. */
  readonly onReplace?: (waiting: Merged, losses: Losses) => void;
  /** Sees what waits at the end. */
  readonly onDrop: (waiting: Merged, reason: 'error' | 'unsubscribe') => void;
}

const none = Symbol('none');

/** Lets at most one value wait for the consumer below, and merges into it what comes meanwhile. */
export function conflation<T, Merged>(settings: ConflationSettings<T, Merged>): OperatorFunction<T, Merged> {
  const { seed, merge, onReplace, onDrop } = settings;

  return (source) =>
    new Observable((destination) => {
      const losses = new Losses(destination);
      /** More than one only while a value is being emitted or merged. */
      const arrived = new RingBuffer<T>();
      let waiting: Merged | typeof none = none;
      let sourceCompleted = false;

      const fail = (error: unknown) => {
        losses.fail(error);
      };

      const absorb = (value: T) => {
        const before = waiting;
        waiting = none; // what is called may end it all
        try {
          waiting = before === none ? seed(value) : merge(before, value);
          if (before !== none) onReplace?.(before, losses);
        } catch (thrown) {
          waiting = before;
          fail(thrown);
        }
      };

      const emit = () => {
        if (waiting === none || !passage.isOpen) return;
        const merged = waiting;
        waiting = none;
        destination.next(merged);
      };

      const lose = () => {
        passage.leave();
        while (arrived.size > 0) absorb(arrived.shift());
        if (waiting === none) return;
        const merged = waiting;
        waiting = none;
        losses.tell(onDrop, merged);
      };

      const drain = drainLoop(
        destination,
        () => {
          emit();
          while (arrived.size > 0 && !destination.closed) {
            absorb(arrived.shift());
            if (!destination.closed) emit();
          }
          if (destination.closed) lose();
          else if (waiting !== none) passage.wait();
          else {
            passage.leave();
            if (sourceCompleted) destination.complete();
          }
        },
        fail,
      );

      const passage = new Passage(findGate(destination), drain);

      const subscriber = operate<T, Merged>({
        destination,
        gate: null,
        next: (value) => {
          arrived.push(value);
          drain();
        },
        error: fail,
        complete: () => {
          sourceCompleted = true;
          drain();
        },
      });
      destination.add(lose);
      source.subscribe(subscriber);
    });
}
