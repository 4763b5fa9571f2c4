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
    const { forgets = 'nothing' } = model;
    trial.finally(() => {
      const isExcused = forgets === 'anything' || (forgets === 'when cut off' && this.end !== 'complete');
      for (const parcel of isExcused ? [] : [...this.inside, ...this.made])
        if (!this.dropped.has(parcel)) trial.check(false, () => `${parcel.name} is lost in ${name}`);
      if (this.end === 'complete' && !isExcused && !this.saysAborted)
        for (const parcel of this.promised) trial.check(false, () => `${parcel.name} is lost in ${name}`);
    });
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
  readonly drop = (parcel: Parcel): void => {
    if (this.model.isShared) this.dropped.add(parcel);
    else {
      const isKnown = this.promised.delete(parcel) || this.made.delete(parcel) || this.inside.delete(parcel);
      this.trial.check(isKnown, () => `${parcel.name} is dropped by ${this.name}, where it was not any more`);
    }
  };

  /** How much of its work, with the clean-up, is not over, and will be. */
  open = 0;

  /** How many values have work under way. */
  private get active(): number {
    return this.running.size;
  }

  private activeOf(key: number): number {
    return [...this.running.keys()].filter((parcel) => parcel.key === key).length;
  }

  /** Work for a value begins. */
  begin(parcel: Parcel): Closing {
    const closing = this.trial.opens(`the work for ${parcel.name} in ${this.name}`, this.index);
    let hangs = false;
    this.open++;
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
        const left = (this.running.get(parcel) ?? 0) - 1;
        if (left > 0) this.running.set(parcel, left);
        else this.running.delete(parcel);
        closing.close();
      },
    };
  }
}
