import { type Subscriber } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { drainLoop } from '../../src/internal/drainLoop.js';
import { operate } from '../../src/internal/operate.js';

const destination = (): Subscriber<never> => operate<never, never>({ next: () => undefined });

const fail = (error: unknown): never => {
  throw error;
};

describe('drainLoop', () => {
  it('runs again instead of nesting', () => {
    const log: string[] = [];
    let runs = 0;
    const drain = drainLoop(
      destination(),
      () => {
        const run = ++runs;
        log.push(`begin ${run}`);
        if (run < 3) drain();
        log.push(`end ${run}`);
      },
      fail,
    );
    drain();
    expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
    drain();
    expect(runs).toBe(4);
  });

  it('does not run when the destination has ended, nor again when it ends', () => {
    const ending = destination();
    let runs = 0;
    const drain = drainLoop(
      ending,
      () => {
        runs++;
        ending.unsubscribe();
        drain();
      },
      fail,
    );
    drain();
    drain();
    expect(runs).toBe(1);
  });

  it('tells of what step throws, and can run again', () => {
    const errors: unknown[] = [];
    const drain = drainLoop(
      destination(),
      () => {
        throw errors.length;
      },
      (error) => errors.push(error),
    );
    drain();
    drain();
    expect(errors).toEqual([0, 1]);
  });
});
