import { VirtualTimeScheduler } from 'rxjs';
import { CountingScheduler } from '../CountingScheduler.js';

/** What a program makes fail. */
export class Fault extends Error {}

/** How the clean-up of something that is cut off goes, and how long it takes, in ms. */
export interface CleanupProgram {
  readonly how: 'none' | 'settles' | 'fails' | 'hangs';
  readonly ms: number;
}

/** Who has opened something: a stage by its index, or a source. */
export const theSources = -1;

interface Opened {
  readonly what: string;
  readonly by: number;
  /** Whether it was opened before another. */
  readonly nth: number;
  /** It is never over. */
  hangs: boolean;
}

/** One run of a program: its time, what is open, and what went against the rules. */
export class Trial {
  readonly problems: string[] = [];
  readonly clock = new VirtualTimeScheduler();
  /** That of the operators. What they leave behind on it is theirs. */
  readonly scheduler = new CountingScheduler(this.clock);
  /** How often a source was subscribed to. */
  epoch = 0;
  /** How often something was opened. */
  opened = 0;
  private readonly open = new Set<Opened>();
  private readonly atTheEnd: (() => void)[] = [];
  private readonly listeners = new Set<() => void>();
  private names = 0;

  check(holds: boolean, problem: () => string): void {
    if (!holds && this.problems.length < 20) this.problems.push(`${String(this.clock.frame)} ms: ${problem()}`);
  }

  /** Numbers that grow. */
  next(): number {
    return this.names++;
  }

  /** Looked at when everything has come to rest. */
  finally(look: () => void): void {
    this.atTheEnd.push(look);
  }

  opens(what: string, by: number): Closing {
    const opened = { what, by, nth: ++this.opened, hangs: false };
    this.open.add(opened);
    return {
      close: () => {
        this.check(this.open.delete(opened), () => `${what} is closed twice`);
      },
      hang: () => {
        opened.hangs = true;
      },
    };
  }

  /** What is still open of what those up to the stage `upTo` have opened, between two counts of `opened`, and is not there for ever. */
  stillOpen(upTo: number, to = Infinity, from = 0): string[] {
    return [...this.open]
      .filter(({ by, nth, hangs }) => by <= upTo && nth > from && nth <= to && !hangs)
      .map(({ what }) => what);
  }

  /** The consumer has taken a value, and is still at it. */
  taken(): void {
    for (const listener of [...this.listeners]) listener();
  }

  onTaken(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  later(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  after(ms: number, callback: () => void): void {
    this.clock.schedule(() => {
      callback();
    }, ms);
  }

  /** Cleans up, and closes; `cut` if it had not come to its end. Gives nothing if there is nothing to wait for. */
  cleanUp({ how, ms }: CleanupProgram, closing: Closing, cut: boolean): Promise<void> | undefined {
    if (how === 'none' || (!cut && how !== 'settles')) {
      closing.close();
      return undefined;
    }
    if (how === 'hangs') {
      closing.hang();
      return new Promise(() => {});
    }
    return this.later(ms).then(() => {
      closing.close();
      if (how === 'fails') throw new Fault('the clean-up');
    });
  }

  /** Lets time go by, from one moment in which something is due to the next, until `isOver`, or nothing is due any more. */
  async run(isOver: () => boolean, mostMs: number): Promise<void> {
    const { clock } = this;
    const { actions } = clock as unknown as { readonly actions: readonly { readonly delay: number }[] };
    await quiet();
    while (!isOver() && actions.length > 0) {
      clock.maxFrames = Math.min(...actions.map(({ delay }) => delay));
      if (clock.maxFrames > mostMs) return;
      clock.flush();
      await quiet();
    }
  }

  end(): void {
    for (const look of this.atTheEnd) look();
    for (const what of this.stillOpen(Infinity)) this.check(false, () => `${what} is still open`);
    const { pending } = this.scheduler;
    this.check(pending === 0, () => `${String(pending)} timers are left behind`);
  }
}

export interface Closing {
  readonly close: () => void;
  readonly hang: () => void;
}

/** Until no promise has anything to say. */
function quiet(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
