import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedBuffer, type Overflow } from '../../src/machines/BoundedBuffer.js';

/** What a full line of so many values does with one more: what stays, and what has to give way. */
const policies: Record<Overflow, (line: number[], arriving: number) => { stays: number[]; dropped?: number[] }> = {
  error: (line) => ({ stays: line }),
  'drop-newest': (line, arriving) => ({ stays: line, dropped: [arriving] }),
  'drop-oldest': (line, arriving) => {
    const all = [...line, arriving];
    return { stays: all.slice(1), dropped: all.slice(0, 1) };
  },
  'drop-buffer': (line, arriving) =>
    line.length === 0 ? { stays: line, dropped: [arriving] } : { stays: [arriving], dropped: line },
};

const sizes = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(Infinity));
const steps = fc.array(fc.constantFrom('offer', 'offer', 'shift'), { maxLength: 200, size: 'max' });

describe.each(Object.keys(policies) as Overflow[])('%s', (overflow) => {
  it('bounds what waits, and gives what has to give way', () => {
    fc.assert(
      fc.property(sizes, steps, (bufferSize, steps) => {
        const buffer = new BoundedBuffer<number>(bufferSize, overflow);
        let model: number[] = [];

        for (const [value, step] of steps.entries()) {
          if (step === 'shift') {
            if (model.length > 0) expect(buffer.shift()).toBe(model.shift());
          } else if (model.length < bufferSize) {
            expect(buffer.offer(value)).toEqual([]);
            model.push(value);
          } else {
            const { stays, dropped } = policies[overflow](model, value);
            expect(buffer.offer(value)).toEqual(dropped);
            model = stays;
          }
          expect(buffer.size).toBe(model.length);
          expect(buffer.size).toBeLessThanOrEqual(bufferSize);
        }
        expect(buffer.takeAll()).toEqual(model);
      }),
    );
  });
});
