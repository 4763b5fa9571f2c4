import type { SchedulerLike } from 'rxjs';
import { Lifetimes, type LifetimeSettings } from '../../machines/Lifetimes.js';
import { Alarm } from '../Alarm.js';
import type { KeyedSession } from './KeyedSession.js';

interface Owner<S> {
  /** Nothing has happened in the session for `idleTimeout`. */
  onIdle(session: S): void;
  /** The session has reached `maxAge`. */
  onAged(session: S): void;
  /** All who were due have been told of. */
  onRung(): void;
}

/** Which sessions are idle, and for how long. One timer for all of them, and none while nobody can be due. */
export class SessionClock<K, T> {
  private readonly lifetimes: Lifetimes<KeyedSession<K, T>>;
  private readonly alarm: Alarm;
  private readonly isTimed: boolean;

  constructor(
    settings: LifetimeSettings,
    private readonly scheduler: SchedulerLike,
    private readonly owner: Owner<KeyedSession<K, T>>,
  ) {
    this.lifetimes = new Lifetimes(settings);
    this.alarm = new Alarm(scheduler, this.ring);
    this.isTimed = settings.idleTimeout < Infinity || settings.maxAge < Infinity;
  }

  /** Whether a session rests: it could take a value, or its consumer is busy. */
  get hasResting(): boolean {
    return this.lifetimes.idlest !== undefined;
  }

  /** To be followed by `set`. */
  begin(session: KeyedSession<K, T>): void {
    this.lifetimes.begin(session, this.now());
  }

  /** Nothing waits any more. */
  rest(session: KeyedSession<K, T>): void {
    this.lifetimes.rest(session, this.now());
    this.set();
  }

  /** A result has come out. */
  touch(session: KeyedSession<K, T>): void {
    this.lifetimes.touch(session, this.now());
  }

  /** Something waits. */
  work(session: KeyedSession<K, T>): void {
    this.lifetimes.work(session);
  }

  end(session: KeyedSession<K, T>): void {
    this.lifetimes.end(session);
  }

  /** Sets the timer, if one is needed. */
  set(): void {
    if (this.isTimed) this.alarm.set(this.lifetimes.due);
  }

  stop(): void {
    this.alarm.set(Infinity);
  }

  /** Who has been idle for longest, if anybody is. Those that are not do not rest until they may be. */
  findIdle(): KeyedSession<K, T> | undefined {
    for (let session = this.lifetimes.idlest; session; session = this.lifetimes.idlest) {
      if (session.isIdle) return session;
      this.watch(session);
    }
    return undefined;
  }

  private now(): number {
    return this.isTimed ? this.scheduler.now() : 0;
  }

  private watch(session: KeyedSession<K, T>): void {
    this.lifetimes.work(session);
    session.watch();
  }

  private readonly ring = (): void => {
    const { lifetimes, owner } = this;
    const now = this.now();
    for (let session = lifetimes.agedAt(now); session; session = lifetimes.agedAt(now)) owner.onAged(session);
    for (let session = lifetimes.idleAt(now); session; session = lifetimes.idleAt(now)) {
      if (session.isIdle) owner.onIdle(session);
      else this.watch(session);
    }
    owner.onRung();
  };
}
