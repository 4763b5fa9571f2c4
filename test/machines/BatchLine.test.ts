import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchLine } from '../../src/machines/BatchLine.js';
import type { Overflow } from '../../src/machines/BoundedBuffer.js';

interface Item {
  readonly id: number;
  readonly weight: number;
}

const total = (items: readonly Item[]) => items.reduce((sum, { weight }) => sum + weight, 0);

/** What is full, and what is open: as slowly and as plainly as can be. */
class Model {
  full: Item[][] = [];
  open: Item[] = [];

  constructor(
    private readonly size: number,
    private readonly bufferSize: number,
    private readonly overflow: Overflow,
  ) {}

  get all(): Item[] {
    return [...this.full.flat(), ...this.open];
  }

  offer(item: Item): Item[] | undefined {
    let dropped: Item[] = [];
    if (this.all.length === this.bufferSize) {
      if (this.overflow === 'error') return undefined;
      if (this.overflow === 'drop-newest') return [item];
      if (this.overflow === 'drop-buffer') {
        dropped = this.all;
        this.full = [];
        this.open = [];
      } else {
        dropped = this.all.slice(0, 1);
        this.full = this.full.map((batch) => batch.filter((each) => each !== dropped[0]));
        this.full = this.full.filter((batch) => batch.length > 0);
      }
    }
    if (this.open.length > 0 && total(this.open) + item.weight > this.size) this.close();
    this.open.push(item);
    if (total(this.open) >= this.size || this.open.length === this.bufferSize) this.close();
    return dropped;
  }

  private close() {
    this.full.push(this.open);
    this.open = [];
  }
}

const sizes = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constant(Infinity));
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(1, 1, 1, 0, 2, 3, 9).map((weight) => ({ weight })) },
    { weight: 2, arbitrary: fc.constantFrom('takeFull' as const, 'takeOpen' as const) },
    { weight: 1, arbitrary: fc.constant('takeAll' as const) },
  ),
  { maxLength: 200, size: 'max' },
);

describe.each<Overflow>(['error', 'drop-oldest', 'drop-newest', 'drop-buffer'])('%s', (overflow) => {
  it('groups by weight, bounds what is held, and gives what has to give way', () => {
    fc.assert(
      fc.property(sizes, fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(Infinity)), steps, (size, most, all) => {
        const line = new BatchLine<Item>(size, most, overflow);
        const model = new Model(size, most, overflow);
        for (const [id, step] of all.entries()) {
          if (step === 'takeFull') {
            if (model.full.length > 0) expect(line.takeFull()).toEqual(model.full.shift());
          } else if (step === 'takeOpen') {
            expect(line.takeOpen()).toEqual(model.open);
            model.open = [];
          } else if (step === 'takeAll') {
            expect(line.takeAll()).toEqual(model.all);
            model.full = [];
            model.open = [];
          } else {
            const item = { id, ...step };
            expect(line.offer(item, item.weight)).toEqual(model.offer(item));
          }
          expect(line.hasFull).toBe(model.full.length > 0);
          expect(line.open).toEqual(model.open);
          expect(line.held).toBe(model.all.length);
        }
      }),
    );
  });
});

describe('BatchLine', () => {
  it('has another open batch for each that was full', () => {
    const line = new BatchLine<string>(2, 10, 'error');
    const first = line.open;
    line.offer('a', 1);
    expect(line.open).toBe(first);
    line.offer('b', 1);
    expect(line.open).not.toBe(first);
    expect(line.takeFull()).toBe(first);
  });

  it('lets a great many values go, of one batch or of many', () => {
    for (const size of [1, 300_000]) {
      const line = new BatchLine<number>(size, Infinity, 'error');
      for (let i = 0; i < 300_001; i++) line.offer(i, 1);
      const values = line.takeAll();
      expect(values.length).toBe(300_001);
      expect(values[300_000]).toBe(300_000);
    }
  });

  it('drops the oldest of a large batch without moving the others', () => {
    const line = new BatchLine<number>(200_000, 200_000, 'drop-oldest');
    for (let i = 0; i < 399_999; i++) line.offer(i, 1);
    expect(line.takeFull()).toEqual([199_999]);
    expect(line.open.length).toBe(199_999);
  });
});
