import { describe, expect, it } from 'vitest';
import { ByteChunk, StringChunk, type Chunk } from '../../src/machines/Chunk.js';
import { excerptBytes } from '../../src/machines/excerpt.js';
import { OpenLine } from '../../src/machines/OpenLine.js';

/** Knows how much of it has been asked for. */
class CountingChunk extends StringChunk {
  readonly asked: number[] = [];

  override part(from: number, to: number): string {
    this.asked.push(to - from);
    return super.part(from, to);
  }
}

const chunks: [string, (text: string) => Chunk][] = [
  ['strings', (text) => new StringChunk(text)],
  ['bytes', (text) => new ByteChunk(new TextEncoder().encode(text))],
];

describe.each(chunks)('OpenLine of %s', (_, of) => {
  it('gives a line where its line feed comes', () => {
    const line = new OpenLine(10);
    expect(line.isOpen).toBe(false);
    expect(line.begin(of('..abc'), 2, 7)).toBe(undefined);
    expect(line.isOpen).toBe(true);
    expect(line.continue(of('de'), -1)).toBe(undefined);
    expect(line.continue(of('f\r\n'), 2)).toEqual({ text: 'abcdef', isOverlong: false, start: 7 });
    expect(line.isOpen).toBe(false);
  });

  it('gives one that is too long at once, and passes over the rest of it', () => {
    const line = new OpenLine(4);
    expect(line.begin(of('.12345'), 1, 3)).toEqual({ text: '12345', isOverlong: true, start: 3 });
    expect([line.isOpen, line.end()]).toEqual([true, undefined]);
    expect(line.continue(of('67'), -1)).toBe(undefined);
    expect(line.isOpen).toBe(true);
    expect(line.continue(of('8\n'), 1)).toBe(undefined);
    expect(line.isOpen).toBe(false);
  });

  it('gives one whose rest makes it too long, and goes on behind it where that has ended', () => {
    const line = new OpenLine(4);
    line.begin(of('123'), 0, 0);
    expect(line.continue(of('45\n'), 2)).toEqual({ text: '12345', isOverlong: true, start: 0 });
    expect(line.isOpen).toBe(false);
  });

  it('does not count half of what may be its end, but at its end', () => {
    const line = new OpenLine(4);
    expect(line.begin(of('1234\r'), 0, 0)).toBe(undefined);
    expect(line.end()).toEqual({ text: '1234\r', isOverlong: true, start: 0 });
    expect(line.begin(of('123\r'), 0, 9)).toBe(undefined);
    expect(line.end()).toEqual({ text: '123\r', isOverlong: false, start: 9 });
    expect(line.end()).toBe(undefined);
  });

  it('forgets what it is told to', () => {
    const line = new OpenLine(4);
    line.begin(of('123'), 0, 0);
    line.clear();
    expect([line.isOpen, line.end()]).toEqual([false, undefined]);
  });
});

it('OpenLine takes no more of a line that is too long than an excerpt needs, wherever that begins', () => {
  const long = new CountingChunk('.'.repeat(1000) + 'a'.repeat(1000));
  const line = new OpenLine(4);
  expect(line.begin(long, 1000, 0)?.text).toBe('a'.repeat(excerptBytes));
  expect(long.asked).toEqual([excerptBytes]);
});
