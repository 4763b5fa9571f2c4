import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Overflow } from '../../src/machines/BoundedBuffer.js';
import { KeyedBuffer, KeyLine } from '../../src/machines/KeyedBuffer.js';

class Line extends KeyLine<number, Line> {}

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ offer: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ shift: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.constant('take all' as const) },
  ),
  { maxLength: 100, size: 'max' },
);

it('keeps the order of each key, and the bound of all', () => {
  fc.assert(
    fc.property(
      steps,
      fc.constantFrom<Overflow>('error', 'drop-oldest', 'drop-newest', 'drop-buffer'),
      fc.integer({ min: 1, max: 5 }),
      (steps, overflow, bufferSize) => {
        const buffer = new KeyedBuffer<number, Line>(bufferSize, overflow, (key) => new Line(key));
        const lines = new Map<number, Line>();
        let model: { value: number; key: number }[] = [];
        let values = 0;

        for (const step of steps) {
          if (step === 'take all') {
            expect(buffer.takeAll().map(({ value, line }) => ({ value, key: line.key }))).toEqual(model);
            model = [];
          } else if ('offer' in step) {
            const arriving = { value: values++, key: step.offer };
            const entry = buffer.entry(arriving.value, arriving.key);
            lines.set(arriving.key, entry.line);
            const dropped = buffer.offer(entry)?.map(({ value }) => value);
            const isFull = model.length >= bufferSize;
            const oldest = model[0]?.value;
            if (!isFull) expect(dropped).toEqual([]);
            else if (overflow === 'error') expect(dropped).toBeUndefined();
            else if (overflow === 'drop-newest') expect(dropped).toEqual([arriving.value]);
            else if (overflow === 'drop-oldest') expect(dropped).toEqual([oldest]);
            else expect(dropped).toEqual(model.map(({ value }) => value));
            if (isFull && overflow === 'drop-oldest') model.shift();
            if (isFull && overflow === 'drop-buffer') model = [];
            if (!isFull || overflow === 'drop-oldest' || overflow === 'drop-buffer') model.push(arriving);
          } else {
            const line = lines.get(step.shift);
            const index = model.findIndex(({ key }) => key === step.shift);
            if (line && index >= 0) expect(buffer.shift(line)).toBe(model.splice(index, 1)[0]?.value);
          }
          expect(buffer.size).toBe(model.length);
          for (const key of [0, 1, 2, 3]) {
            const count = model.filter((each) => each.key === key).length;
            expect(buffer.has(key)).toBe(count > 0);
            if (count > 0) expect(lines.get(key)).toMatchObject({ size: count });
          }
        }
      },
    ),
  );
});
