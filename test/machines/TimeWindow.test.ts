import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TimeWindow } from '../../src/machines/TimeWindow.js';

it('counts in the same way before time 0, and after a time in which nothing came', () => {
  const calls = fc.array(fc.record({ gap: fc.oneof(fc.nat(30), fc.nat(2000)), failed: fc.boolean() }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(calls, (given) => {
      const windows = [0, -500, -1_000_000_000].map((start) => ({ start, window: new TimeWindow(100) }));
      let now = 0;
      for (const { gap, failed } of given) {
        now += gap;
        const [expected, ...others] = windows.map(({ start, window }) => {
          window.add(start + now, failed);
          return [window.calls, window.failures];
        });
        expect(others).toEqual([expected, expected]);
      }
    }),
  );
});

it('forgets everything when it is cleared, also what would have been forgotten later', () => {
  const window = new TimeWindow(100);
  for (const at of [0, 10, 20]) window.add(at, true);
  window.clear();
  expect([window.calls, window.failures]).toEqual([0, 0]);
  window.add(100, true);
  window.add(110, false);
  expect([window.calls, window.failures]).toEqual([2, 1]);
});
