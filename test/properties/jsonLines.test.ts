import fc from 'fast-check';
import { from, map, tap, type Observable } from 'rxjs';
import { expect, it } from 'vitest';
import { formatJsonLines, fromPull, gatedBy, parseJsonLines, splitLines } from '../../src/index.js';
import { ManualGate } from '../support/ManualGate.js';

// There and back once: JSON has no -0.
const jsonValue = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const records = fc.array(jsonValue, { maxLength: 12 });
const cuts = fc.array(fc.nat(500), { maxLength: 20 });

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [...at.map((each) => each % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((to, i) => bytes.subarray(places[i], to));
}

const bytesOf = (values: readonly unknown[]) => {
  let text = '';
  from(values)
    .pipe(formatJsonLines())
    .subscribe((line) => (text += line));
  return new TextEncoder().encode(text);
};

/**
 * Runs `source` above a gate that lets `openings` through, one number after the other, and then everything. Gives what came,
 * of which each was let through.
 */
function throughGate<T>(source: Observable<T>, openings: readonly number[]): T[] {
  const gate = new ManualGate();
  const out: T[] = [];
  let room = 0;
  let completed = false;
  source
    .pipe(
      tap((value) => {
        expect(gate.ready).toBe(true);
        out.push(value);
        if (--room === 0) gate.ready = false;
      }),
      gatedBy(gate),
    )
    .subscribe({ complete: () => (completed = true) });
  for (const opening of [...openings, Infinity]) {
    room = opening;
    gate.ready = true;
  }
  expect(completed).toBe(true);
  expect(gate.waiters.size).toBe(0);
  return out;
}

const openings = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 12 });

it('what formatJsonLines wrote, parseJsonLines reads, however it was cut, and exactly at the pace of the consumer', () => {
  fc.assert(
    fc.property(records, cuts, openings, (values, at, steps) => {
      const source = fromPull(cut(bytesOf(values), at)).pipe(parseJsonLines());
      expect(throughGate(source, steps)).toEqual(values);
    }),
    { numRuns: 300 },
  );
});

it('splitLines asks for a chunk only when the lines of the last one have gone', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', '\n'), maxLength: 8 })), openings, (chunks, steps) => {
      let waiting = 0;
      const source = fromPull(chunks).pipe(
        map((chunk) => {
          expect(waiting).toBe(0);
          waiting = chunk.split('\n').length - 1;
          return chunk;
        }),
        splitLines(),
        tap(() => waiting--),
      );
      const text = chunks.join('');
      // The last line has no end of its own to wait for.
      const expected = text === '' || text.endsWith('\n') ? text.split('\n').slice(0, -1) : text.split('\n');
      expect(throughGate(source, steps)).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

it('a source that cannot wait loses nothing', () => {
  fc.assert(
    fc.property(records, cuts, openings, (values, at, steps) => {
      const gate = new ManualGate();
      const out: unknown[] = [];
      let room = 0;
      const chunks = cut(bytesOf(values), at);
      let completed = false;
      const pushed = chunks.map((chunk, i) => ({ chunk, opening: steps[i % (steps.length || 1)] ?? 1 }));
      const source = from(pushed).pipe(
        map(({ chunk, opening }) => {
          room = opening;
          gate.ready = true;
          return chunk;
        }),
        parseJsonLines(),
        tap((value) => {
          out.push(value);
          if (--room === 0) gate.ready = false;
        }),
        gatedBy(gate),
      );
      source.subscribe({ complete: () => (completed = true) });
      room = Infinity;
      gate.ready = true;
      expect(out).toEqual(values);
      expect(completed).toBe(true);
    }),
    { numRuns: 300 },
  );
});
