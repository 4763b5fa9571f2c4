import type { Parcel } from './Parcel.js';
import type { StageModel } from './StageModel.js';
import type { Closing, Trial } from './Trial.js';

/**
 * What becomes of each value in one subscription of a stage: it came in, or was made inside; it passes, is used up for others, or is
 * dropped. Nothing else is allowed, and nothing twice.
 */
export class Ledger {
  end: 'complete' | 'error' | undefined;
  sourceEnded = false;
  /** How much had been opened before it. */
  private readonly openedBefore: number;
  /** How deep in calls of `next`, of the stage and of what is below: what comes from within may have to wait for them. */
  busy = 0;
  /** It was told to end before its source. */
  hasCut = false;
  /** It has said that it cut work off: the results of that do not come. */
  saysAborted = false;
  readonly cuts = (): void => {
    if (!this.sourceEnded && !this.end) this.hasCut = true;
  };
  /** How many came in and were neither used, nor passed, nor dropped. */
  get waiting(): number {
    return [...this.inside].filter((parcel) => !this.dropped.has(parcel)).length;
  }
  private readonly inside = new Set<Parcel>();
  private readonly made = new Set<Parcel>();
  /** They come if the stage comes to its end. */
  private readonly promised = new Set<Parcel>();
  private readonly dropped = new Set<Parcel>();
  /** How much of a value is open: its work, and the clean-up of that. */
  private readonly running = new Map<Parcel, number>();

  constructor(
    readonly trial: Trial,
    readonly index: number,
    readonly name: string,
    private readonly model: StageModel,
  ) {
    this.openedBefore = trial.opened;
    const { forgets = 'nothing', mostForgotten = Infinity } = model;
    trial.finally(() => {
      const isExcused = forgets === 'anything' || (forgets === 'when cut off' && this.end !== 'complete');
      const lost = [...this.inside, ...this.made].filter((parcel) => !this.dropped.has(parcel));
      trial.check(
        lost.length <= (isExcused ? mostForgotten : 0),
        () => `${lost.map((parcel) => parcel.name).join(', ')} lost in ${name}`,
      );
      if (this.end === 'complete' && !isExcused && !this.saysAborted)
        for (const parcel of this.promised) trial.check(false, () => `${parcel.name} is lost in ${name}`);
    });
  }

  /** It subscribes to what is above, perhaps not for the first time. */
  beginAttempt(): void {
    if (!this.model.waitsForNext) return;
    const open = this.trial.stillOpen(this.index - 1, Infinity, this.openedBefore);
    this.trial.check(open.length === 0, () => `${this.name} goes on before the clean-up of ${open.join(', ')}`);
  }

  enter(parcel: Parcel): void {
    this.trial.check(!this.inside.has(parcel), () => `${parcel.name} comes into ${this.name} twice`);
    this.inside.add(parcel);
  }

  leave(parcel: Parcel): void {
    const isKnown = this.promised.delete(parcel) || this.made.delete(parcel) || this.inside.delete(parcel);
    this.trial.check(isKnown, () => `${parcel.name} comes out of ${this.name}, where it was not any more`);
  }

  use(parcel: Parcel): void {
    const isKnown = this.inside.delete(parcel) || this.made.delete(parcel);
    this.trial.check(isKnown, () => `${parcel.name} is used in ${this.name}, where it was not any more`);
  }

  make(parcel: Parcel): Parcel {
    this.made.add(parcel);
    return parcel;
  }

  promise(parcel: Parcel): Parcel {
    this.promised.add(parcel);
    return parcel;
  }

  /** For each `onDrop` and `onDropResult`. */
  readonly drop = (parcel: Parcel, reason?: string): void => {
    this.trial.check(
      reason !== 'unsubscribe' || this.end !== 'complete',
      () => `${parcel.name} is dropped by ${this.name}, which is complete`,
    );
    if (this.model.isShared) this.dropped.add(parcel);
    else {
      const isKnown = this.promised.delete(parcel) || this.made.delete(parcel) || this.inside.delete(parcel);
      this.trial.check(isKnown, () => `${parcel.name} is dropped by ${this.name}, where it was not any more`);
    }
  };

  /** How much of its work, with the clean-up, is not over, and will be. */
  private open = 0;
  /** How much of that is closed by a call of `next` that is under way, when it comes back. */
  private openInCalls = 0;

  /** Whether nothing is open but what a call under way still has to close. */
  get isCleanedUp(): boolean {
    return this.open === (this.busy > 0 ? this.openInCalls : 0);
  }

  /** How many values have work under way. */
  private get active(): number {
    return this.running.size;
  }

  private activeOf(key: number): number {
    return [...this.running.keys()].filter((parcel) => parcel.key === key).length;
  }

  /** Work for a value begins; `inCalls`: of a generator, which RxJS closes only when its value has been taken. */
  begin(parcel: Parcel, inCalls = 0): Closing {
    const closing = this.trial.opens(`the work for ${parcel.name} in ${this.name}`, this.index);
    let hangs = false;
    this.open++;
    this.openInCalls += inCalls;
    this.running.set(parcel, (this.running.get(parcel) ?? 0) + 1);
    const { concurrent = Infinity, concurrentPerKey = Infinity } = this.model;
    this.trial.check(this.active <= concurrent, () => `${String(this.active)} run in ${this.name}`);
    this.trial.check(
      this.activeOf(parcel.key) <= concurrentPerKey,
      () => `${String(this.activeOf(parcel.key))} of a key run in ${this.name}`,
    );
    return {
      hang: () => {
        closing.hang();
        if (!hangs) this.open--;
        hangs = true;
      },
      close: () => {
        if (!hangs) this.open--;
        this.openInCalls -= inCalls;
        const left = (this.running.get(parcel) ?? 0) - 1;
        if (left > 0) this.running.set(parcel, left);
        else this.running.delete(parcel);
        closing.close();
      },
    };
  }
}
