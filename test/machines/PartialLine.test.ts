import { describe, expect, it } from 'vitest';
import { excerptBytes } from '../../src/machines/excerpt.js';
import { PartialLine } from '../../src/machines/PartialLine.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const roomOf = (line: object) =>
  (Object.values(line).find((field) => field instanceof Uint8Array) as Uint8Array).length;

describe('PartialLine', () => {
  it('puts together strings and bytes, and a character that is spread over several', () => {
    const line = new PartialLine();
    const sizes: number[] = [];
    const euro = utf8('€');
    for (const piece of ['a', utf8('b'), euro.subarray(0, 1), euro.subarray(1), 'ä', utf8('c')]) {
      line.append(piece);
      sizes.push(line.size);
    }
    expect(sizes).toEqual([1, 2, 3, 5, 7, 8]);
    expect(line.take()).toBe('ab€äc');
    expect([line.size, line.take()]).toEqual([0, '']);
  });

  it('knows whether it ends with a carriage return', () => {
    const line = new PartialLine();
    const ends = ['', 'a\r', utf8('b'), utf8('\r'), utf8('\rc'), utf8('d\r'), 'e', '\r'].map((piece) => {
      line.append(piece);
      return line.endsWithReturn;
    });
    expect(ends).toEqual([false, true, false, true, false, true, false, true]);
    line.clear();
    expect(line.endsWithReturn).toBe(false);
  });

  it('gives for its beginning nothing that a longer line before has left behind', () => {
    const line = new PartialLine();
    line.append(utf8('before'));
    line.clear();
    line.append('a');
    line.append(utf8('b'));
    expect(line.beginning()).toBe('ab');
    expect(line.take()).toBe('ab');
  });

  it('decodes no more bytes for its beginning than an excerpt needs', () => {
    const line = new PartialLine();
    line.append(utf8('a'.repeat(1000)));
    expect(line.beginning()).toBe('a'.repeat(excerptBytes));
  });

  it('has room for a line of usual length from its first bytes on, and keeps it', () => {
    const line = new PartialLine();
    line.append(utf8('a'));
    const room = roomOf(line);
    expect(room).toBeGreaterThanOrEqual(256);
    line.append(utf8('a'.repeat(room - 1)));
    expect(roomOf(line)).toBe(room);
    line.take();
    expect(roomOf(line)).toBe(room);
  });

  it('makes room twice as large when it needs more, so that each byte is copied few times', () => {
    const line = new PartialLine();
    const rooms = new Set<number>();
    for (let i = 0; i < 100_000; i++) {
      line.append(utf8('a'));
      rooms.add(roomOf(line));
    }
    expect(rooms.size).toBeLessThanOrEqual(10);
    expect(line.take()).toBe('a'.repeat(100_000));
  });

  it('does not keep the memory of a long line, but that of one with 64 KiB', () => {
    const line = new PartialLine();
    line.append(new Uint8Array(65_536));
    line.clear();
    expect(roomOf(line)).toBe(65_536);
    line.append(new Uint8Array(65_537));
    line.clear();
    expect(roomOf(line)).toBe(0);
    line.append(utf8('a'));
    expect(line.take()).toBe('a');
  });
});
