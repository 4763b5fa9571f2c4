import { map, merge, NEVER, Observable, of, takeUntil, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bufferedMergeMap, findGate, fromPull, gatedBy, ungated } from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';
import { settle } from '../support/settle.js';

describe('ungated', () => {
  it('lets the sources above run, whatever is below', () => {
    const gate = new ManualGate();
    const { log } = record(
      merge(fromPull([1, 2]), fromPull([3])).pipe(
        map((i) => i),
        ungated(),
        gatedBy(gate),
      ),
    );
    expect(log).toEqual([1, 2, 3, 'complete']);
    expect(gate.waiters.size).toBe(0);
  });

  it('leaves those alone that are beside it', () => {
    const gate = new ManualGate();
    const { log } = record(merge(fromPull([1]).pipe(ungated()), fromPull([2])).pipe(gatedBy(gate)));
    expect(log).toEqual([1]);
    gate.ready = true;
    expect(log).toEqual([1, 2, 'complete']);
  });

  it('does not reach further up than the next gate', () => {
    const gate = new ManualGate();
    expect(record(fromPull([1]).pipe(gatedBy(gate), ungated())).log).toEqual([]);
  });

  it('is what findGate takes for no gate at all', () => {
    let found: unknown = 'nothing yet';
    record(
      new Observable((subscriber) => {
        found = findGate(subscriber);
      }).pipe(ungated(), gatedBy(new ManualGate())),
    );
    expect(found).toBe(undefined);
  });

  it('lets the scope of clean-up below be found', () => {
    const tracked: unknown[] = [];
    const subscriber = operate({ cleanupScope: { track: (each) => tracked.push(each) } });
    fromPull(new AnsweredIterator()).pipe(ungated()).subscribe(subscriber);
    subscriber.unsubscribe();
    expect(tracked).toHaveLength(1);
  });

  describe('on a notifier that is pulled, above a consumer that is busy', () => {
    /** What happens while the consumer works on its first value, and after that. */
    const run = async (through: (notifier: Observable<string>) => Observable<string>) => {
      let finish!: () => void;
      const work = new Promise<void>((resolve) => (finish = resolve));
      const events: string[] = [];
      const notifier = fromPull(async function* () {
        await Promise.resolve(); // by now the consumer is busy
        yield 'stop';
      }).pipe(
        through,
        tap(() => events.push('notified')),
      );
      const stopped = merge(of(1), NEVER).pipe(takeUntil(notifier));
      stopped
        .pipe(bufferedMergeMap(async () => work, { concurrent: 1, highWaterMark: 0 }))
        .subscribe({ complete: () => events.push('complete') });
      await settle();
      events.push('work is done');
      finish();
      await settle();
      return events;
    };

    it('takeUntil fires at once', async () => {
      expect(await run((notifier) => notifier.pipe(ungated()))).toEqual(['notified', 'work is done', 'complete']);
    });

    it('takeUntil without it is late', async () => {
      expect(await run((notifier) => notifier)).toEqual(['work is done', 'notified', 'complete']);
    });
  });
});
