import { Subject, tap, VirtualTimeScheduler, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { type MarbleSpec } from '../../marbles/spec.js';
import { settle } from './settle.js';

/** What came, and in which frame. */
type Line = readonly { readonly frame: number; readonly notification: object }[];

/** In milliseconds, as the parser counts when it runs outside of TestScheduler.run(). */
const frameTime = 10;

export function parseLine(marbles: string, values?: MarbleSpec['values']): Line {
  const messages = TestScheduler.parseMarbles(marbles, values, undefined, true, true);
  return messages.map(({ frame, notification }) => ({ frame: frame / frameTime, notification }));
}

/**
 * Runs a picture in which promises have a part, which a TestScheduler cannot: time goes on from frame to frame, and between two
 * of them promises settle.
 */
export async function playFrames({ inputs, apply }: MarbleSpec): Promise<{ seen: Line; output: Line }> {
  const scheduler = new VirtualTimeScheduler();
  const hot = Object.entries(inputs).map(([name, marbles]): [string, Observable<string>] => {
    const source = new Subject<string>();
    for (const { frame, notification } of TestScheduler.parseMarbles(marbles, undefined, undefined, true, true)) {
      scheduler.schedule(() => {
        if (notification.kind === 'N') source.next(notification.value as string);
        else if (notification.kind === 'E') source.error(notification.error);
        else source.complete();
      }, frame / frameTime);
    }
    return [name, source];
  });

  const write = (line: { frame: number; notification: object }[]) => ({
    next: (value: unknown) => line.push({ frame: scheduler.frame, notification: { kind: 'N', value } }),
    error: (error: unknown) => line.push({ frame: scheduler.frame, notification: { kind: 'E', error } }),
    complete: () => line.push({ frame: scheduler.frame, notification: { kind: 'C' } }),
  });
  const seen: { frame: number; notification: object }[] = [];
  const output: { frame: number; notification: object }[] = [];
  apply(Object.fromEntries(hot), scheduler, tap<string>(write(seen))).subscribe(write(output));

  // One flush for each frame in which something is due.
  const { actions } = scheduler as unknown as { actions: { readonly delay: number }[] };
  await settle();
  for (let flushes = 0; actions.length > 0 && flushes < 1000; flushes++) {
    scheduler.maxFrames = Math.min(...actions.map(({ delay }) => delay));
    scheduler.flush();
    await settle();
  }
  return { seen, output };
}
