import { defer, Observable, of, Subject, type Subscriber } from 'rxjs';
import { vi } from 'vitest';
import { findCleanupScope } from '../../src/index.js';
import { Completion } from '../../src/internal/Completion.js';
import { operate } from '../../src/internal/operate.js';
import type { Row, Stage } from './table.js';

export interface Sighting {
  /** The source was told to go. */
  readonly told: boolean;
  readonly meanwhile: Row['meanwhile'];
  readonly reaches: boolean;
}

/** What counts, the most telling first. */
const steps = ['subscribes again', 'starts the next', 'errors', 'completes', 'emits'] as const;

/** Tears the source down as the row says, and sees what happens while its clean-up goes on. */
export function watch({ build, act }: Row): Sighting {
  vi.useFakeTimers();
  try {
    let told = 0;
    const seen = new Set<string>();
    const tracked = new Set<PromiseLike<unknown>>();
    const note = (step: (typeof steps)[number]) => () => {
      if (told > 0 || step !== 'emits') seen.add(step);
    };
    const control = new Subject<string>();
    let subscriptions = 0;
    const source = new Observable<string>((subscriber) => {
      if (++subscriptions > 1) note('subscribes again')();
      const scope = findCleanupScope(subscriber);
      const cleanup = new Completion();
      subscriber.add(() => {
        told++;
        scope?.track(cleanup);
      });
      return control.subscribe(subscriber);
    });
    const following = defer(() => {
      note('starts the next')();
      return of('following');
    });
    const stage: Stage = { source, control, other: new Subject(), following };

    const consumer: Subscriber<unknown> = operate<unknown, never>({
      cleanupScope: { track: (cleanup) => tracked.add(cleanup) },
      next: note('emits'),
      error: note('errors'),
      complete: note('completes'),
    });
    build(stage).subscribe(consumer);
    if (act === 'unsubscribe') consumer.unsubscribe();
    else if (act === 'wait') vi.advanceTimersByTime(100);
    else act(stage);
    const sighting: Sighting = {
      told: told > 0,
      meanwhile: steps.find((step) => seen.has(step)) ?? 'nothing',
      reaches: tracked.size > 0,
    };
    consumer.unsubscribe();
    return sighting;
  } finally {
    vi.useRealTimers();
  }
}
