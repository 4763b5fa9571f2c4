import { Observable, type Subscriber } from 'rxjs';
import { SessionInUseError } from '../../errors/SessionInUseError.js';
import { Passage } from '../../link/Passage.js';
import { findGate } from '../../link/walk.js';
import type { Birth, Living } from '../../machines/Lifetimes.js';
import type { SessionLane } from '../../machines/SessionLane.js';
import type { InnerWork } from '../merge/InnerWork.js';
import type { Session, SessionCloseReason } from './Session.js';

/** The operator that a session is of. */
interface Owner<K, T> {
  /** Nothing is passed on any more. */
  readonly closed: boolean;
  readonly where: string;
  take(lane: SessionLane<K, T, KeyedSession<K, T>>): T;
  /** All that is for the session has been taken. */
  finish(session: KeyedSession<K, T>): void;
  /** Nothing waits, and whoever reads could take something. */
  rest(session: KeyedSession<K, T>): void;
  /** Something waits. */
  work(session: KeyedSession<K, T>): void;
}

/** The values of one key, from the opening of the session to its closing: they are taken by one reader at a time. */
export class KeyedSession<K, T> implements Session<K, T>, Living {
  previous: Living | undefined = undefined;
  following: Living | undefined = undefined;
  restsSince = 0;
  birth: Birth | undefined = undefined;

  readonly key: K;
  readonly values: Observable<T>;
  /** Why it is closed, or will be when the values that are for it have been taken. */
  reason: SessionCloseReason | undefined = undefined;
  /** It takes values. */
  isOpen = true;
  /** A value has been taken. */
  isRead = false;
  private reader: Subscriber<T> | undefined = undefined;
  private passage: Passage | undefined = undefined;
  /** A value is being given to the reader, or was a moment ago. */
  draining = false;
  private isCutOff = false;

  constructor(
    private readonly owner: Owner<K, T>,
    readonly lane: SessionLane<K, T, KeyedSession<K, T>>,
    readonly inner: InnerWork,
  ) {
    this.key = lane.key;
    this.values = new Observable((reader) => {
      this.read(reader);
    });
  }

  get signal(): AbortSignal {
    return this.inner.signal;
  }

  /** Of a session of which nothing waits: whether nothing is going on that is known here. */
  get isIdle(): boolean {
    return !this.draining && this.isReady;
  }

  /** It is not idle: calls `rest` of its owner when it may be. */
  watch(): void {
    this.passage?.wait();
  }

  /** Whose end is waited for in any case, and not only where its signal has been read: `values` tells it of the cancellation, too. */
  follow<R>(promise: PromiseLike<R>): PromiseLike<R> {
    const { inner } = this;
    inner.listen();
    return inner.follow(promise, true);
  }

  /** Gives whether `value` has been taken. */
  pass(value: T): boolean {
    const { lane, reader } = this;
    const isFree = this.isOpen && !this.draining && lane.size === 0 && lane.share === Infinity;
    if (!isFree || !reader || reader.closed || !this.isReady) return false;
    this.draining = true;
    try {
      this.give(reader, value);
    } finally {
      this.draining = false;
    }
    this.drain();
    return true;
  }

  /** Lets values be taken as far as they may. A loop, whatever happens inside of `next`. */
  readonly drain = (): void => {
    const { lane, owner } = this;
    if (this.draining || !this.isOpen) return;
    this.draining = true;
    try {
      while (this.reader && lane.size > 0 && this.mayGive()) this.give(this.reader, owner.take(lane));
    } finally {
      this.draining = false;
    }
    if (!this.isOpen || owner.closed) return;
    if (lane.share <= 0) owner.finish(this);
    else if (lane.size > 0) {
      this.passage?.wait();
      owner.work(this);
    } else {
      this.passage?.leave();
      owner.rest(this);
    }
  };

  /** There are no more values. */
  end(): void {
    const { reader } = this;
    this.isOpen = false;
    this.leave();
    reader?.complete();
  }

  /** Whoever still reads is not torn down with the handler: it is told. */
  cutOff(): void {
    const { reader } = this;
    this.isOpen = false;
    this.isCutOff = true;
    this.leave();
    this.inner.cutOff(); // a handler that has failed has ended, but what it has begun may go on
    reader?.error(this.signal.reason);
  }

  private read(reader: Subscriber<T>): void {
    if (this.reader) reader.error(new SessionInUseError(this.owner.where));
    else if (this.isCutOff) reader.error(this.signal.reason);
    else if (!this.isOpen) reader.complete();
    else {
      this.reader = reader;
      this.passage = new Passage(findGate(reader), this.drain);
      reader.add(() => {
        this.leave();
        this.drain();
      });
      this.drain();
    }
  }

  /** Whoever reads could take a value now. */
  private get isReady(): boolean {
    return this.passage?.isOpen ?? true;
  }

  private mayGive(): boolean {
    const { lane, owner, reader } = this;
    return this.isOpen && !owner.closed && lane.share > 0 && !reader?.closed && this.isReady;
  }

  private give(reader: Subscriber<T>, value: T): void {
    this.isRead = true;
    reader.next(value);
  }

  private leave(): void {
    this.passage?.leave();
    this.passage = this.reader = undefined;
  }
}
