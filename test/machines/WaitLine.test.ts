import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WaitLine } from '../../src/machines/WaitLine.js';

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant('add' as const) },
    { weight: 2, arbitrary: fc.constant('call first' as const) },
    { weight: 2, arbitrary: fc.nat({ max: 30 }).map((cancel) => ({ cancel })) },
  ),
  { maxLength: 100, size: 'max' },
);

it('calls each once, first in, first out, but who has been cancelled', () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const line = new WaitLine();
      const called: number[] = [];
      const expected: number[] = [];
      const cancels: (() => void)[] = [];
      let model: number[] = [];

      for (const step of steps) {
        if (step === 'add') {
          const name = cancels.length;
          cancels.push(line.add(() => called.push(name)));
          model.push(name);
        } else if (step === 'call first') {
          line.callFirst();
          expected.push(...model.splice(0, 1));
        } else {
          cancels[step.cancel]?.();
          model = model.filter((name) => name !== step.cancel);
        }
        expect(line.size).toBe(model.length);
        expect(called).toEqual(expected);
      }
    }),
  );
});

it('lets go of the first before it calls it', () => {
  const line = new WaitLine();
  const sizes: number[] = [];
  const cancel = line.add(() => {
    cancel();
    sizes.push(line.size);
    line.add(() => sizes.push(line.size));
  });
  line.callFirst();
  line.callFirst();
  expect(sizes).toEqual([0, 0]);
});
