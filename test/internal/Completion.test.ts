import { describe, expect, it } from 'vitest';
import { Completion } from '../../src/internal/Completion.js';

describe('Completion', () => {
  it('calls back at once, in the order of arrival', () => {
    const completion = new Completion();
    const order: string[] = [];
    void completion.then(() => order.push('first'));
    void completion.then(() => order.push('second'));
    completion.resolve();
    void completion.then(() => order.push('late'));
    expect(order).toEqual(['first', 'second', 'late']);
  });

  it('tells the failure, also the one who comes late', () => {
    const completion = new Completion();
    const seen: unknown[] = [];
    const note = (error: unknown) => seen.push(error);
    void completion.then(undefined, note);
    completion.reject('failure');
    void completion.then(undefined, note);
    expect(seen).toEqual(['failure', 'failure']);
  });

  it('settles once', () => {
    const completion = new Completion();
    const seen: unknown[] = [];
    void completion.then(
      () => seen.push('done'),
      (error: unknown) => seen.push(error),
    );
    completion.resolve();
    completion.reject('too late');
    completion.resolve();
    expect(seen).toEqual(['done']);
  });

  it('is a promise for those who chain, and for await', async () => {
    const completion = new Completion();
    completion.resolve();
    expect(await Promise.resolve<unknown>(completion)).toBeUndefined();
    expect(await completion.then(() => Promise.resolve(1))).toBe(1);
    expect(await completion.then<unknown>()).toBeUndefined();

    const failed = new Completion();
    failed.reject('failure');
    await expect(Promise.resolve(failed)).rejects.toBe('failure');
    await expect(failed.then(() => 1)).rejects.toBe('failure');
    await expect(failed.then(null, () => 2)).resolves.toBe(2);
    const rethrow = () => {
      throw new Error('again');
    };
    await expect(failed.then(null, rethrow)).rejects.toThrow('again');
  });
});
