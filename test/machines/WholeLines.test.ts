import { describe, expect, it } from 'vitest';
import { StringChunk } from '../../src/machines/Chunk.js';
import { WholeLines } from '../../src/machines/WholeLines.js';

const linesOf = (text: string, from = 0, offset = 0) => {
  const lines = new WholeLines();
  const chunk = new StringChunk(text);
  lines.set(text.slice(from), chunk, from, offset);
  return { lines, chunk };
};

describe('WholeLines', () => {
  it('gives one after the other, each with its size before and its place afterwards', () => {
    const { lines } = linesOf('..a\nää\r\n\nb\n', 2, 10);
    const found: unknown[] = [];
    while (lines.hasMore) found.push([lines.nextSize(), lines.take(), lines.byteOffset()]);
    expect(found).toEqual([
      [1, 'a', 10],
      [4, 'ää', 12],
      [0, '', 18],
      [1, 'b', 19],
    ]);
  });

  it('knows what is blank, and skips it', () => {
    const { lines } = linesOf(' \t\r\n\n a\n');
    const found: unknown[] = [];
    while (lines.hasMore) {
      found.push([lines.beginsBlank, lines.nextIsBlank]);
      lines.skip();
    }
    expect(found).toEqual([
      [true, true],
      [true, true],
      [true, false],
    ]);
    expect([lines.beginsBlank, lines.nextIsBlank]).toEqual([false, false]);
  });

  it('lets go of the chunk when it is cleared, and has nothing more', () => {
    const { lines, chunk } = linesOf('a\nb\n');
    lines.take();
    lines.clear();
    expect(lines.hasMore).toBe(false);
    expect(Object.values(lines)).not.toContain(chunk);
  });
});
