import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CountedSignal } from '../support/CountedSignal.js';
import { settle } from '../support/settle.js';
import { waits } from './resources.js';

const subjects = Object.entries(waits).flatMap(([name, modes]) =>
  Object.entries(modes).map(([mode, create]) => [`${name}: ${mode}`, create] as const),
);

describe.each(subjects)('%s keeps the contract of what waits', (_, create) => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const outcomeOf = async (waiting: Promise<unknown>) => {
    const [outcome] = await Promise.allSettled([waiting]);
    return outcome;
  };
  const reason = new Error('not wanted');

  it('rejects with the reason of a signal that was aborted before, and adds no listener', async () => {
    const counted = new CountedSignal();
    counted.abort(reason);
    expect(await outcomeOf(create()(counted.signal))).toEqual({ status: 'rejected', reason });
    expect(counted.listeners).toBe(0);
  });

  it('rejects with the reason of a signal that is aborted while it waits', async () => {
    const counted = new CountedSignal();
    const outcome = outcomeOf(create()(counted.signal));
    await settle();
    counted.abort(reason);
    expect(await outcome).toEqual({ status: 'rejected', reason });
    expect(counted.listeners).toBe(0);
  });

  it('is not moved by an abort that comes after the end', async () => {
    const [early, late] = [new CountedSignal(), new CountedSignal()];
    const wait = create();
    const outcome = outcomeOf(wait(early.signal));
    early.abort(reason);
    await outcome;
    early.abort(new Error('again'));
    late.abort(reason);
    expect(await outcomeOf(wait(late.signal))).toEqual({ status: 'rejected', reason });
  });

  it('refuses what is no signal', async () => {
    const wait = create();
    const outcome = outcomeOf((async () => wait('signal' as never))());
    expect(await outcome).toMatchObject({ status: 'rejected', reason: expect.any(TypeError) as unknown });
    expect(String(((await outcome) as PromiseRejectedResult).reason)).toMatch(/signal must be an AbortSignal, got /);
  });

  it('leaves no listener at a signal that a thousand wait for, and no timer', async () => {
    const counted = new CountedSignal();
    const wait = create();
    const outcomes = Array.from({ length: 1000 }, () => outcomeOf(wait(counted.signal)));
    await settle();
    expect(counted.listeners).toBe(1);
    counted.abort(reason);
    expect(new Set((await Promise.all(outcomes)).map((outcome) => outcome?.status))).toEqual(new Set(['rejected']));
    expect([counted.listeners, vi.getTimerCount()]).toEqual([0, 0]);
  });
});
