import fc from 'fast-check';
import { config } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DependentGate } from '../../src/link/DependentGate.js';
import { LevelGate } from '../../src/link/LevelGate.js';
import type { Gate } from '../../src/link/protocol.js';

/** A level gate over places that its waiters take. */
class Places extends LevelGate {
  constructor(public free = 0) {
    super(() => this.free > 0);
  }

  add(count: number): void {
    this.free += count;
    this.wake();
  }
}

/** Takes a place when it is called, as a producer does that reads the gate again. */
const taker = (places: Places, name: string, log: string[]) => () => {
  if (places.free === 0) {
    log.push(`${name} in vain`);
    return;
  }
  places.free--;
  log.push(name);
};

const microtasks = () => new Promise((resolve) => setImmediate(resolve));

describe.each(['LevelGate', 'DependentGate'])('%s', (kind) => {
  let places: Places;
  let gate: LevelGate;
  let log: string[];
  const wait = (name: string) => gate.onReady(taker(places, name, log));
  const wake = () => {
    gate.wake();
  };

  beforeEach(() => {
    log = [];
    places = new Places();
    // The one rests on its own level only, the other on the level of the gate below.
    gate = kind === 'LevelGate' ? places : new DependentGate(() => true, places);
  });

  it('is ready while its level says so', () => {
    expect(gate.ready).toBe(false);
    places.free = 1;
    expect(gate.ready).toBe(true);
  });

  it('calls nobody while it is closed', () => {
    wait('a');
    wake();
    expect(log).toEqual([]);
  });

  it('calls each waiter once', () => {
    wait('a');
    places.add(1);
    places.add(1);
    expect(log).toEqual(['a']);
  });

  it('calls them in the order in which they came', () => {
    wait('a');
    wait('b');
    wait('c');
    places.add(2);
    expect(log).toEqual(['a', 'b']);
    places.add(1);
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('puts a waiter that comes back at the end of the line', () => {
    const comesBack = () => {
      log.push('a');
      places.free--;
      wait('a again');
    };
    gate.onReady(comesBack);
    wait('b');
    places.add(3);
    expect(log).toEqual(['a', 'b']);
  });

  it('passes the turn on from a waiter that takes nothing', () => {
    gate.onReady(() => log.push('a, which is gone'));
    wait('b');
    places.add(1);
    expect(log).toEqual(['a, which is gone', 'b']);
  });

  it('passes the turn on from a waiter that is cancelled', () => {
    const cancel = wait('a');
    wait('b');
    cancel();
    places.add(1);
    expect(log).toEqual(['b']);
  });

  it('does not call a waiter that another one has cancelled in its turn', () => {
    gate.onReady(() => {
      log.push('a');
      cancel();
    });
    const cancel = wait('b');
    wait('c');
    places.add(1);
    expect(log).toEqual(['a', 'c']);
  });

  it('may be cancelled again, and after the turn', () => {
    const cancel = wait('a');
    places.add(1);
    const cancelOther = wait('b');
    wait('c');
    cancel();
    cancelOther();
    cancelOther();
    places.add(1);
    expect(log).toEqual(['a', 'c']);
  });

  it('wakes in a microtask who waits while it is open', async () => {
    places.free = 1;
    wait('a');
    expect(log).toEqual([]);
    await microtasks();
    expect(log).toEqual(['a']);
  });

  it('wakes the rest in a microtask if a round ends with the gate open', async () => {
    const comesBack = (times: number) => () => {
      log.push(`a ${times}`);
      if (times > 1) gate.onReady(comesBack(times - 1));
    };
    gate.onReady(comesBack(3));
    places.add(1);
    expect(log).toEqual(['a 3']);
    await microtasks();
    expect(log).toEqual(['a 3', 'a 2', 'a 1']);
  });

  it('does not nest: a waiter that opens it further leaves the turn to the round', () => {
    gate.onReady(() => {
      log.push('a begins');
      places.add(1);
      log.push('a ends');
    });
    wait('b');
    places.add(1);
    expect(log).toEqual(['a begins', 'a ends', 'b']);
  });

  it('leaves no microtask behind for who waits while it is closed, nor when all have had their turn', () => {
    const queued = vi.spyOn(globalThis, 'queueMicrotask');
    try {
      wait('a');
      places.add(2);
      expect([log, gate.ready, queued.mock.calls.length]).toEqual([['a'], true, 0]);
    } finally {
      queued.mockRestore();
    }
  });

  it('knows whether somebody waits', () => {
    expect(gate.hasWaiters).toBe(false);
    const cancel = wait('a');
    expect(gate.hasWaiters).toBe(true);
    cancel();
    expect(gate.hasWaiters).toBe(false);
  });

  describe('with a waiter that throws', () => {
    const unhandled: unknown[] = [];

    beforeEach(() => {
      unhandled.length = 0;
      vi.useFakeTimers();
      config.onUnhandledError = (error) => void unhandled.push(error);
    });

    afterEach(() => {
      config.onUnhandledError = null;
      vi.useRealTimers();
    });

    it('calls the others, and reports the error', () => {
      gate.onReady(() => {
        throw 'oops';
      });
      wait('b');
      places.add(1);
      expect(log).toEqual(['b']);
      vi.runAllTimers();
      expect(unhandled).toEqual(['oops']);
    });
  });
});

/** A gate that knows who is registered with it. */
class Watched implements Gate {
  open = false;
  private readonly callbacks = new Set<() => void>();

  get ready(): boolean {
    return this.open;
  }

  get registered(): number {
    return this.callbacks.size;
  }

  onReady(callback: () => void): () => void {
    this.callbacks.add(callback);
    return () => this.callbacks.delete(callback);
  }

  /** Calls the first. */
  wake(): void {
    for (const callback of this.callbacks) {
      this.callbacks.delete(callback);
      callback();
      return;
    }
  }
}

describe('DependentGate', () => {
  let own: boolean;
  let below: Watched;
  let gate: DependentGate;
  beforeEach(() => {
    own = true;
    below = new Watched();
    gate = new DependentGate(() => own, below);
  });

  it('is ready only while both levels are', () => {
    below.open = true;
    expect(gate.ready).toBe(true);
    own = false;
    expect(gate.ready).toBe(false);
    own = true;
    below.open = false;
    expect(gate.ready).toBe(false);
  });

  it('waits below once, however many wait here', () => {
    gate.onReady(() => {});
    gate.onReady(() => {});
    expect(below.registered).toBe(1);
  });

  it('does not wait below when nobody waits here', () => {
    expect(below.registered).toBe(0);
    const cancels = [gate.onReady(() => {}), gate.onReady(() => {})];
    for (const cancel of cancels) cancel();
    expect(below.registered).toBe(0);
  });

  it('does not wait below when all have had their turn', () => {
    gate.onReady(() => {});
    below.open = true;
    below.wake();
    expect(below.registered).toBe(0);
  });

  it('waits below again for who comes back', () => {
    gate.onReady(() => {
      below.open = false;
      gate.onReady(() => {});
    });
    below.open = true;
    below.wake();
    expect(below.registered).toBe(1);
  });

  it('waits below when its own level has opened, and the other has closed meanwhile', () => {
    below.open = true;
    own = false;
    gate.onReady(() => {});
    expect(below.registered).toBe(0);
    below.open = false;
    own = true;
    gate.wake();
    expect(below.registered).toBe(1);
  });
});

type Step =
  | { readonly do: 'wait'; readonly at: number; readonly as: Behaviour }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'open'; readonly places: number }
  | { readonly do: 'close' }
  | { readonly do: 'settle' }
  | { readonly do: 'toggle'; readonly at: number };

/** What a waiter does in its turn. */
type Behaviour = 'take' | 'leave' | 'come back' | 'throw' | 'cancel another';

const step = <Rest>(weight: number, name: Step['do'], rest: { [K in keyof Rest]: fc.Arbitrary<Rest[K]> }) => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(name), ...rest }) as fc.Arbitrary<unknown> as fc.Arbitrary<Step>,
});

const steps = fc.array(
  fc.oneof(
    step(4, 'wait', {
      at: fc.nat({ max: 2 }),
      as: fc.constantFrom<Behaviour>('take', 'take', 'leave', 'come back', 'throw', 'cancel another'),
    }),
    step(2, 'cancel', { which: fc.nat({ max: 20 }) }),
    step(3, 'open', { places: fc.integer({ min: 1, max: 3 }) }),
    step(1, 'close', {}),
    step(1, 'toggle', { at: fc.nat({ max: 1 }) }),
    step(2, 'settle', {}),
  ),
  { maxLength: 60, size: 'max' },
);

it('serves every waiter in turn, and forgets none', async () => {
  const reported: unknown[] = [];
  const thrown: unknown[] = [];
  config.onUnhandledError = (error) => void reported.push(error);
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const model = new Model((error) => {
        thrown.push(error);
        throw error;
      });
      for (const step of steps) {
        if (step.do === 'settle') await microtasks();
        else model.act(step);
        model.check();
        if (step.do === 'settle') model.checkSettled();
      }
      model.openAll();
      await microtasks();
      model.check();
      model.checkSettled();
    }),
    { numRuns: 300 },
  );
  await vi.waitFor(() => {
    expect(reported.length).toBe(thrown.length);
  });
  expect(reported.sort()).toEqual(thrown.sort());
  config.onUnhandledError = null;
});

/** Places with two gates that depend on them, and who waits at each, in order. */
class Model {
  private readonly places = new Places();
  private readonly levels = [true, true];
  private readonly below = [1, 2].map(() => new Counted(this.places));
  private readonly dependents = this.below.map((below, i) => new DependentGate(() => this.levels[i] === true, below));
  private readonly gates: readonly LevelGate[] = [...this.dependents, this.places];
  private readonly lines: string[][] = this.gates.map(() => []);
  private readonly cancels: (() => void)[] = [];
  /** A waiter may throw, and the gate goes on: what it finds wrong is kept here. */
  private readonly faults: unknown[] = [];

  constructor(private readonly fail: (error: unknown) => never) {}

  act(step: Exclude<Step, { do: 'settle' }>): void {
    if (step.do === 'wait') this.wait(step.at, step.as);
    else if (step.do === 'cancel') this.cancels[step.which]?.();
    else if (step.do === 'open') this.places.add(step.places);
    else if (step.do === 'close') this.places.free = 0;
    else {
      this.levels[step.at] = !this.levels[step.at];
      this.dependents[step.at]?.wake();
    }
  }

  openAll(): void {
    this.levels.fill(true);
    for (const gate of this.dependents) gate.wake();
    this.places.add(1000);
  }

  check(): void {
    expect(this.faults).toEqual([]);
    for (const [i, gate] of this.dependents.entries()) {
      expect(gate.hasWaiters).toBe(this.lines[i]?.length !== 0);
      expect(this.below[i]?.registered).toBeLessThanOrEqual(gate.hasWaiters ? 1 : 0);
    }
  }

  checkSettled(): void {
    for (const [i, gate] of this.gates.entries()) if (gate.ready) expect(this.lines[i]).toEqual([]);
  }

  private wait(at: number, as: Behaviour): void {
    const { cancels } = this;
    const gate = this.gates[at] as LevelGate;
    const line = this.lines[at] as string[];
    const name = `${as} ${cancels.length}`;
    line.push(name);
    const cancel = gate.onReady(() => {
      const first = line.shift();
      if (first !== name || !gate.ready) this.faults.push({ name, first, ready: gate.ready });
      if (as === 'take') this.places.free--;
      if (as === 'come back') this.wait(at, 'take');
      if (as === 'cancel another') cancels[index - 1]?.();
      if (as === 'throw') this.fail(name);
    });
    const index = cancels.length;
    cancels.push(() => {
      if (line.includes(name)) line.splice(line.indexOf(name), 1);
      cancel();
    });
  }
}

/** Knows how many are registered through it. */
class Counted implements Gate {
  registered = 0;

  constructor(private readonly gate: Gate) {}

  get ready(): boolean {
    return this.gate.ready;
  }

  onReady(callback: () => void): () => void {
    let over = false;
    const leave = () => {
      if (!over) this.registered--;
      over = true;
    };
    this.registered++;
    const cancel = this.gate.onReady(() => {
      leave();
      callback();
    });
    return () => {
      leave();
      cancel();
    };
  }
}
