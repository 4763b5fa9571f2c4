import { TestScheduler } from 'rxjs/testing';
import { type Observable, type SchedulerLike } from 'rxjs';
import { type Gate } from '../src/index.js';
import { ManualGate } from '../test/support/ManualGate.js';

/** A gate that a line of marbles moves: `o` opens it, `x` closes it. */
export function gateOf(line: Observable<string> | undefined): Gate {
  const gate = new ManualGate();
  line?.subscribe((mark) => {
    gate.ready = mark === 'o';
  });
  return gate;
}

/** A source that can wait: each value takes as long as the gap before it, from when it is asked for. */
export async function* pulled(marbles: string, scheduler: SchedulerLike): AsyncGenerator<string> {
  let last = 0;
  for (const { frame, notification } of TestScheduler.parseMarbles(marbles, undefined, undefined, true, true)) {
    await pause((frame - last) / 10, scheduler);
    last = frame;
    if (notification.kind === 'N') yield notification.value as string;
  }
}

/** So many frames. */
export function pause(frames: number, scheduler: SchedulerLike): Promise<void> {
  return new Promise((resolve) => {
    scheduler.schedule(() => {
      resolve();
    }, frames);
  });
}
