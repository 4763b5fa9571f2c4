import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TupleBuffer } from '../../src/machines/TupleBuffer.js';

/** What it should do, in the plainest way. */
class Model {
  readonly lines: number[][];
  readonly ended: boolean[];

  constructor(
    width: number,
    private readonly bufferSize: number,
  ) {
    this.lines = Array.from({ length: width }, () => []);
    this.ended = this.lines.map(() => false);
  }

  get hasTuple() {
    return this.lines.every((line) => line.length > 0);
  }

  get isOver() {
    return this.lines.some((line, i) => line.length === 0 && this.ended[i]);
  }

  offer(input: number, value: number) {
    if ((this.lines[input]?.length ?? 0) >= this.bufferSize) return false;
    this.lines[input]?.push(value);
    return true;
  }
}

const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('offer' as const), input: fc.nat(2) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('shift' as const), input: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), input: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('takeAll' as const), input: fc.constant(0) }) },
  ),
  { maxLength: 60 },
);

describe('TupleBuffer', () => {
  it('does what the model does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.constantFrom(1, 2, 5, Infinity), steps, (width, size, program) => {
        const buffer = new TupleBuffer<number>(width, size);
        const model = new Model(width, size);
        program.forEach(({ kind, input: any }, value) => {
          const input = any % width;
          if (kind === 'offer') {
            if (!model.ended[input]) expect(buffer.offer(input, value)).toBe(model.offer(input, value));
          } else if (kind === 'end') {
            expect(buffer.end(input)).toBe(model.lines[input]?.length === 0);
            model.ended[input] = true;
          } else if (kind === 'takeAll') {
            expect(buffer.takeAll()).toEqual(model.lines.map((line) => line.splice(0)));
            for (const i of model.lines.keys()) expect(buffer.sizeOf(i)).toBe(0);
            expect(buffer.hasTuple).toBe(false);
          } else if (model.hasTuple) {
            expect(buffer.shift()).toEqual(model.lines.map((line) => line.shift()));
          }
          expect(buffer.hasTuple).toBe(model.hasTuple);
          if (kind !== 'takeAll' && !program.slice(0, value).some((step) => step.kind === 'takeAll'))
            expect(buffer.isOver).toBe(model.isOver);
          model.lines.forEach((line, i) => {
            expect(buffer.sizeOf(i)).toBe(line.length);
          });
        });
      }),
      { numRuns: 500 },
    );
  });
});
