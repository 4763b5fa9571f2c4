import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RingBuffer } from '../../src/machines/RingBuffer.js';

// Batches, so that it grows, wraps round while it is long, and lets go of its memory.
const batch = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 3000 }));
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('push' as const), count: batch }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('shift' as const), count: batch }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('take all' as const), count: fc.constant(1) }) },
  ),
  { maxLength: 40, size: 'max' },
);

it('is an array, first in, first out', () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const buffer = new RingBuffer<number>();
      let model: number[] = [];
      let next = 0;

      for (const { do: action, count } of steps) {
        if (action === 'take all') {
          expect(buffer.takeAll()).toEqual(model);
          model = [];
        } else if (action === 'push') {
          for (let i = 0; i < count; i++) {
            buffer.push(next);
            model.push(next++);
          }
        } else {
          const expected = model.splice(0, count);
          expect(expected.map(() => buffer.shift())).toEqual(expected);
        }
        expect(buffer.size).toBe(model.length);
      }
      expect(buffer.takeAll()).toEqual(model);
    }),
  );
});

it('takes undefined for a value', () => {
  const buffer = new RingBuffer<undefined>();
  buffer.push(undefined);
  expect(buffer.size).toBe(1);
  expect(buffer.takeAll()).toEqual([undefined]);
});

it('holds nothing that was taken', () => {
  const buffer = new RingBuffer<object>();
  for (let i = 0; i < 20; i++) buffer.push({});
  for (let i = 0; i < 10; i++) buffer.shift();
  expect(heldBy(buffer)).toBe(10);
  buffer.takeAll();
  expect(heldBy(buffer)).toBe(0);
});

it('has room at once for a short line, and keeps it', () => {
  const buffer = new RingBuffer<object>();
  const room = roomOf(buffer);
  expect(room).toBe(16);
  for (let i = 0; i < 1024; i++) buffer.push({});
  const [slots] = arraysOf(buffer);
  for (let i = 0; i < 1024; i++) buffer.shift();
  expect(arraysOf(buffer)[0]).toBe(slots);
  for (let i = 0; i < 1025; i++) buffer.push({});
  buffer.takeAll();
  expect(roomOf(buffer)).toBe(room);
});

it('makes itself small when it has become empty', () => {
  const buffer = new RingBuffer<object>();
  for (let i = 0; i < 5000; i++) buffer.push({});
  for (let i = 0; i < 5000; i++) buffer.shift();
  expect(roomOf(buffer)).toBeLessThanOrEqual(1024);
});

const arraysOf = (buffer: object) => Object.values(buffer).filter(Array.isArray);
const heldBy = (buffer: object) => arraysOf(buffer).flat().filter(Boolean).length;
const roomOf = (buffer: object) => arraysOf(buffer).reduce((room, { length }) => room + length, 0);
