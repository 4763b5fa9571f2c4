import { asyncScheduler, noop, of, Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { ObservableIterator, type IteratorSettings } from '../../src/internal/ObservableIterator.js';
import type { Read } from '../../src/internal/Reads.js';

const settings: IteratorSettings<number> = {
  highWaterMark: 0,
  bufferSize: 10,
  overflow: 'error',
  patience: { cleanupTimeout: 0, scheduler: asyncScheduler },
  onDrop: noop,
  where: 'test',
};

it('keeps the order when a read that has called back reads again, and the source emits meanwhile', () => {
  const source = new Subject<number>();
  const iterator = new ObservableIterator(source, settings);
  const seen: number[] = [];
  const read: Read<number> = {
    resolve: (result) => {
      if (result.done) return;
      seen.push(result.value);
      iterator.read(read);
      if (result.value < 3) source.next(result.value + 10);
    },
    reject: noop,
  };
  iterator.read({ resolve: noop, reject: noop });
  for (const value of [0, 1, 2, 3]) source.next(value);
  iterator.read(read);
  expect(seen).toEqual([1, 2, 3, 11, 12]);
});

it('goes on after a callback that throws', () => {
  const iterator = new ObservableIterator(of(0, 1, 2), settings);
  const seen: unknown[] = [];
  const throwing = () => {
    throw new Error('read');
  };
  iterator.read({ resolve: noop, reject: noop });
  expect(() => {
    iterator.read({ resolve: throwing, reject: noop });
  }).toThrow('read');
  iterator.read({ resolve: (result) => seen.push(result.value), reject: noop });
  expect(seen).toEqual([2]);
});
