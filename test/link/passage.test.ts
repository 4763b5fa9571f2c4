import { describe, expect, it, vi } from 'vitest';
import { Passage } from '../../src/link/Passage.js';
import { ManualGate } from '../support/ManualGate.js';

describe('Passage', () => {
  it('is open without a gate, and never waits', () => {
    const onOpen = vi.fn();
    const passage = new Passage(undefined, onOpen);
    expect(passage.isOpen).toBe(true);
    passage.wait();
    passage.leave();
    expect(onOpen).not.toHaveBeenCalled();
  });

  it('is as open as its gate', () => {
    const gate = new ManualGate();
    const passage = new Passage(gate, () => undefined);
    expect(passage.isOpen).toBe(false);
    gate.ready = true;
    expect(passage.isOpen).toBe(true);
  });

  it('takes one place, once, and gives it up', () => {
    const gate = new ManualGate();
    const onOpen = vi.fn();
    const passage = new Passage(gate, onOpen);
    passage.wait();
    passage.wait();
    expect(gate.waiters.size).toBe(1);
    passage.leave();
    passage.leave();
    expect(gate.waiters.size).toBe(0);
    passage.wait();
    gate.pass();
    expect(onOpen).toHaveBeenCalledTimes(1);
    passage.wait();
    expect(gate.waiters.size).toBe(1);
  });

  it('can take a place again in the call that opens it', () => {
    const gate = new ManualGate();
    const passage: Passage = new Passage(gate, () => {
      gate.ready = false;
      passage.wait();
    });
    passage.wait();
    gate.ready = true;
    expect(gate.waiters.size).toBe(1);
  });

  it('bears a gate that calls back at once', () => {
    let calls = 0;
    const cancel = vi.fn();
    const gate = {
      ready: false,
      onReady: (callback: () => void) => {
        if (calls++ === 0) callback();
        return cancel;
      },
    };
    const passage: Passage = new Passage(gate, () => undefined);
    passage.wait();
    passage.leave();
    expect(cancel).not.toHaveBeenCalled();
    passage.wait();
    passage.leave();
    expect([calls, cancel.mock.calls.length]).toEqual([2, 1]);
  });
});
