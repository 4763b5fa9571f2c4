import { Readable } from 'node:stream';
import { Subject, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { fromPull, toAsyncIterable } from '../../src/index.js';
import { turn } from '../support/settle.js';

describe('Readable.from', () => {
  it('reads toAsyncIterable at its own pace', async () => {
    let pulled = 0;
    const source = fromPull(function* () {
      for (let i = 0; ; i++) yield i;
    }).pipe(tap(() => pulled++));
    const seen: number[] = [];
    for await (const each of Readable.from(toAsyncIterable(source), { highWaterMark: 2 })) {
      seen.push(each as number);
      await turn();
      expect(pulled).toBeLessThanOrEqual(seen.length + 3);
      if (each === 20) break;
    }
    expect(seen).toEqual(Array.from({ length: 21 }, (_, i) => i));
  });

  it('destroyed, unsubscribes', async () => {
    const source = new Subject<number>();
    const readable = Readable.from(toAsyncIterable(source));
    readable.resume();
    await turn();
    expect(source.observed).toBe(true);
    readable.destroy();
    await turn();
    expect(source.observed).toBe(false);
  });

  it('is destroyed with the error of the source', async () => {
    const source = new Subject<number>();
    const readable = Readable.from(toAsyncIterable(source));
    readable.resume();
    const failed = new Promise((resolve) => readable.once('error', resolve));
    await turn();
    source.error(new Error('source'));
    expect(await failed).toEqual(new Error('source'));
  });
});
