import { describe, expect, it } from 'vitest';
import { SurrogatePairs } from '../../src/machines/SurrogatePairs.js';

describe('SurrogatePairs', () => {
  it.each([
    ['\uD800', '\uDC00'],
    ['\uD83D', '\uDE00'],
    ['\uDBFF', '\uDFFF'],
  ])('keeps the first half until the second comes: %j %j', (first, second) => {
    const pairs = new SurrogatePairs();
    expect([pairs.join(`a${first}`), pairs.join(''), pairs.join(second)]).toEqual(['a', '', first + second]);
    expect(pairs.take()).toBe('');
  });

  it.each(['', 'a', '\uD7FF', '\uDC00', '\uDFFF', '\uE000', '😀'])('keeps nothing back of %j', (text) => {
    const pairs = new SurrogatePairs();
    expect([pairs.join(text), pairs.take()]).toEqual([text, '']);
  });

  it('gives the half that nothing has completed', () => {
    const pairs = new SurrogatePairs();
    pairs.join('a\uD83D');
    expect([pairs.take(), pairs.take(), pairs.join('b')]).toEqual(['\uD83D', '', 'b']);
  });
});
