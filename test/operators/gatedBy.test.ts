import { map, merge, Observable, of, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bufferedMergeMap, findGate, fromPull, gatedBy, ungated, type Gate } from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { AnsweredIterator } from '../support/AnsweredIterator.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';

const open: Gate = {
  ready: true,
  onReady: () => () => undefined,
};

describe('gatedBy', () => {
  it.each([undefined, null, {}, { ready: 1, onReady: () => undefined }, { ready: true }, 5])('refuses %o', (gate) => {
    expect(() => gatedBy(gate as unknown as Gate)).toThrow(
      /^gate must have a boolean 'ready' and a function 'onReady', got /,
    );
  });

  it('is what the sources above see', () => {
    const gate = new ManualGate();
    const { log } = record(
      merge(fromPull([1, 2]), fromPull([3])).pipe(
        map((i) => i * 10),
        gatedBy(gate),
      ),
    );
    expect(log).toEqual([]);
    gate.ready = true;
    expect(log).toEqual([10, 20, 30, 'complete']);
  });

  it('holds nothing back that cannot wait', () => {
    expect(record(of(1, 2).pipe(gatedBy(new ManualGate()))).log).toEqual([1, 2, 'complete']);
  });

  it('stands in for what is below, a barrier too', () => {
    const near = new ManualGate();
    const far = new ManualGate(true);
    const places: ((source: Observable<number>) => Observable<number>)[] = [
      (source) => source.pipe(gatedBy(near), gatedBy(far)),
      (source) => source.pipe(gatedBy(near), ungated()),
      (source) =>
        source.pipe(
          gatedBy(near),
          bufferedMergeMap((i) => of(i)),
        ),
    ];
    for (const place of places) {
      near.ready = false;
      const { log } = record(place(fromPull([1])));
      expect(log).toEqual([]);
      near.ready = true;
      expect(log).toEqual([1, 'complete']);
    }
  });

  it('makes every operator above one that is paced', () => {
    const gate = new ManualGate();
    const started: number[] = [];
    const { log } = record(
      fromPull([1, 2, 3, 4, 5]).pipe(
        bufferedMergeMap((i) => (started.push(i), of(i)), { concurrent: 1, highWaterMark: 0 }),
        gatedBy(gate),
        tap(() => {
          gate.ready = false;
        }),
      ),
    );
    expect([started, log]).toEqual([[1], []]);
    gate.ready = true;
    expect([started, log]).toEqual([[1, 2], [1]]);
  });

  it('lets the scope of clean-up below be found', () => {
    const tracked: unknown[] = [];
    const subscriber = operate({ cleanupScope: { track: (each) => tracked.push(each) } });
    fromPull(new AnsweredIterator()).pipe(gatedBy(open)).subscribe(subscriber);
    subscriber.unsubscribe();
    expect(tracked).toHaveLength(1);
  });

  it('is what findGate finds above, through operators of RxJS', () => {
    const found: unknown[] = [];
    const looking = new Observable<number>((subscriber) => {
      found.push(findGate(subscriber));
      subscriber.complete();
    });
    record(
      looking.pipe(
        map((i) => i),
        gatedBy(open),
      ),
    );
    record(looking);
    expect(found).toEqual([open, undefined]);
  });
});
