import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BoundedBuffer } from '../../src/machines/BoundedBuffer.js';
import { FirstComeLine } from '../../src/machines/FirstComeLine.js';
import { LaneLine } from '../../src/machines/LaneLine.js';
import { type Line } from '../../src/machines/Line.js';

const overflows = fc.constantFrom(
  'error' as const,
  'drop-oldest' as const,
  'drop-newest' as const,
  'drop-buffer' as const,
);
const sizes = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(Infinity));
const steps = fc.array(fc.constantFrom('send', 'send', 'next', 'take all'), { maxLength: 100, size: 'max' });

/** What happens to the values of a program in a line, for which there is always a slot on 'next'. */
function run<Ticket>(line: Line<number, Ticket>, steps: readonly string[]): unknown[] {
  const log: unknown[] = [];
  steps.forEach((step, value) => {
    if (step === 'send') {
      const ticket = line.admit(value, () => value);
      log.push([line.isClear(ticket), line.offer(value, ticket), line.fullLane(ticket)]);
    } else if (step === 'take all') log.push(line.takeAll());
    else if (line.hasNext) {
      line.takeNext((next, ticket) => {
        log.push(next);
        line.leave(ticket);
      });
    }
    log.push([line.size, line.hasNext, line.takesAny]);
  });
  return log;
}

it('is a BoundedBuffer of which the first is the next', () => {
  fc.assert(
    fc.property(sizes, overflows, steps, (bufferSize, overflow, steps) => {
      const line = new FirstComeLine<number>(bufferSize, overflow);
      const model = new BoundedBuffer<number>(bufferSize, overflow);
      steps.forEach((step, value) => {
        expect([line.isClear(), line.hasNext, line.takesAny]).toEqual([
          model.size === 0,
          model.size > 0,
          model.size === 0,
        ]);
        if (step === 'send') expect(line.offer(value)).toEqual(model.offer(value));
        else if (step === 'take all') expect(line.takeAll()).toEqual(model.takeAll());
        else if (line.hasNext) {
          line.takeNext((next, ticket) => {
            expect([next, ticket]).toEqual([model.shift(), undefined]);
          });
        }
        expect(line.size).toBe(model.size);
      });
    }),
  );
});

it('does what a LaneLine without keys and ranks does', () => {
  fc.assert(
    fc.property(sizes, overflows, steps, (bufferSize, overflow, steps) => {
      const lanes = new LaneLine<number>({
        bufferSize,
        overflow,
        key: undefined,
        concurrentPerKey: 1,
        maxPerKey: Infinity,
        rank: () => 0,
      });
      expect(run(new FirstComeLine<number>(bufferSize, overflow), steps)).toEqual(run(lanes, steps));
    }),
  );
});

it('knows no ages, no keys and no tickets', () => {
  const line: Line<number, unknown> = new FirstComeLine<number>(1, 'error');
  const ticket = line.admit(1, () => 0);
  expect(ticket).toBe(undefined);
  line.enter(ticket);
  expect(line.isClear(ticket)).toBe(true);
  line.leave(ticket);
  line.offer(1, ticket);
  expect([line.oldest, line.fullLane(ticket), line.takeSince(0)]).toEqual([undefined, undefined, []]);
  expect(line.size).toBe(1);
});
