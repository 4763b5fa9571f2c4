import type { Subscriber } from 'rxjs';
import { DependentGate } from '../link/DependentGate.js';
import { findGate } from '../link/walk.js';
import type { Line, LineSplitter } from '../machines/LineSplitter.js';
import { RingBuffer } from '../machines/RingBuffer.js';
import { shown } from './arguments.js';
import { operate } from './operate.js';

export interface LineSubscriberSettings<Out> {
  readonly destination: Subscriber<Out>;
  readonly lines: LineSplitter;
  /** Emits at most one value to `destination`. */
  readonly deliver: (line: Line) => void;
  /** Who reads, for messages. */
  readonly where: string;
}

/**
 * Creates the subscriber that an operator of lines hands to its source.
 *
 * A chunk has many lines: they are taken out one by one, each after the gate below was seen open, and meanwhile the gate
 * for the sources above is closed. When another chunk comes all the same, from a source that cannot wait, the lines before
 * it go out at once, and what the consumer cannot take is for its own policy: so never more than one chunk is held.
 */
export function lineSubscriber<Out>(settings: LineSubscriberSettings<Out>): Subscriber<string | Uint8Array> {
  const { destination, lines, deliver, where } = settings;
  const below = findGate(destination);
  /** What has come behind the chunk that is being taken apart; more than one only while a value is being emitted. */
  const behind = new RingBuffer<string | Uint8Array>();
  let completes = false;
  /** Ends the destination, once the lines are out. */
  let end: (() => void) | undefined;
  let cancelWait: (() => void) | undefined;
  let draining = false;

  const resume = () => {
    cancelWait = undefined;
    drain();
  };

  const stopWaiting = () => {
    cancelWait?.();
    cancelWait = undefined;
  };

  const drain = () => {
    if (draining) return;
    draining = true;
    try {
      while (!destination.closed) {
        if (!lines.hasMore) {
          if (!advance()) break;
        } else if (!below || below.ready || behind.size > 0) deliver(lines.next());
        else {
          cancelWait ??= below.onReady(resume);
          return;
        }
      }
    } catch (thrown) {
      destination.error(thrown);
    } finally {
      draining = false;
    }
    if (destination.closed) return;
    stopWaiting();
    lines.forget();
    if (end) end();
    else gate?.wake();
  };

  /** Goes on to what has come behind the lines that are out. Gives whether there was any. */
  const advance = () => {
    if (behind.size > 0) lines.push(textOrBytes(where, behind.shift()));
    else if (completes) {
      completes = false;
      lines.end();
    } else return false;
    return true;
  };

  const gate = below && new DependentGate(() => !lines.hasMore && behind.size === 0, below);

  destination.add(() => {
    stopWaiting();
    lines.clear();
    behind.takeAll();
  });

  return operate<string | Uint8Array, Out>({
    destination,
    gate,
    next: (chunk) => {
      behind.push(chunk);
      drain();
    },
    error: (error) => {
      end = () => {
        destination.error(error);
      };
      drain();
    },
    complete: () => {
      completes = true;
      end = () => {
        destination.complete();
      };
      drain();
    },
  });
}

/** By its tag, because `instanceof` fails across realms (an iframe, jsdom). */
function textOrBytes(where: string, chunk: string | Uint8Array): string | Uint8Array {
  if (typeof chunk === 'string' || (chunk as Partial<Uint8Array> | null)?.[Symbol.toStringTag] === 'Uint8Array')
    return chunk;
  throw new TypeError(`${where} takes strings and bytes (Uint8Array), got ${shown(chunk)}`);
}
