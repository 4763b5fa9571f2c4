import type { Overflow } from './BoundedBuffer.js';
import { LinkedList, type Listed } from './LinkedList.js';

/** A value that waits: by arrival among all, and in the line of its key. */
export interface KeyedEntry<T, L> extends Listed<KeyedEntry<T, L>> {
  readonly value: T;
  readonly line: L;
  /** The next of its line. */
  behind: KeyedEntry<T, L> | undefined;
}

/** The values of one key, first in, first out. Only its buffer writes it. */
export class KeyLine<T, L> {
  size = 0;
  first: KeyedEntry<T, L> | undefined = undefined;
  last: KeyedEntry<T, L> | undefined = undefined;

  constructor(readonly key: unknown) {}
}

/** Values wait in a line for each key, and in all at most `bufferSize` of them. A key of which none waits leaves nothing behind. */
export class KeyedBuffer<T, L extends KeyLine<T, L>> {
  size = 0;
  private readonly lines = new Map<unknown, L>();
  private readonly byArrival = new LinkedList<KeyedEntry<T, L>>();

  constructor(
    private readonly bufferSize: number,
    private readonly overflow: Overflow,
    private readonly newLine: (key: unknown) => L,
  ) {}

  /** Whether values of `key` wait. */
  has(key: unknown): boolean {
    return this.size > 0 && this.lines.has(key);
  }

  /** What a value will be that waits; it does not yet. */
  entry(value: T, key: unknown): KeyedEntry<T, L> {
    const line = this.lines.get(key) ?? this.newLine(key);
    return { value, line, behind: undefined, previous: undefined, following: undefined };
  }

  /** Lets `arriving` wait. Gives what had to give way, or `undefined` when nothing may: then `arriving` does not wait. */
  offer(arriving: KeyedEntry<T, L>): readonly KeyedEntry<T, L>[] | undefined {
    const { overflow } = this;
    let dropped = nothing as readonly KeyedEntry<T, L>[];
    if (this.size >= this.bufferSize) {
      if (overflow === 'error') return undefined;
      if (overflow === 'drop-newest') return [arriving];
      dropped = overflow === 'drop-oldest' ? [this.remove(this.byArrival.first as KeyedEntry<T, L>)] : this.takeAll();
    }
    this.add(arriving);
    return dropped;
  }

  /** Takes the first of a line out; only when there is one. */
  shift(line: L): T {
    return this.remove(line.first as KeyedEntry<T, L>).value;
  }

  /** Takes everything out, in the order of arrival. */
  takeAll(): KeyedEntry<T, L>[] {
    const taken: KeyedEntry<T, L>[] = [];
    while (this.byArrival.first) taken.push(this.remove(this.byArrival.first));
    return taken;
  }

  private add(entry: KeyedEntry<T, L>): void {
    const { line } = entry;
    if (line.size === 0) this.lines.set(line.key, line);
    if (line.last) line.last.behind = entry;
    else line.first = entry;
    line.last = entry;
    line.size++;
    this.size++;
    this.byArrival.add(entry);
  }

  /** It is always the first of its line. */
  private remove(entry: KeyedEntry<T, L>): KeyedEntry<T, L> {
    const { line, behind } = entry;
    this.byArrival.remove(entry);
    line.first = behind;
    line.size--;
    this.size--;
    if (!behind) {
      line.last = undefined;
      this.lines.delete(line.key);
    }
    return entry;
  }
}

const nothing: readonly never[] = [];
