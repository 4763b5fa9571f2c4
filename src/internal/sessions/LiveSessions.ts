import type { Subscriber, Subscription } from 'rxjs';
import { UnreadSessionError } from '../../errors/UnreadSessionError.js';
import type { SessionLane } from '../../machines/SessionLane.js';
import type { SessionLanes } from '../../machines/SessionLanes.js';
import { InnerWork } from '../merge/InnerWork.js';
import { KeyedSession } from './KeyedSession.js';
import type { SessionCloseReason } from './Session.js';
import { SessionClock } from './SessionClock.js';
import { SessionHandlers } from './SessionHandlers.js';
import type { SessionOutput } from './SessionOutput.js';
import type { SessionResults } from './SessionResults.js';
import type { SessionsEnd } from './SessionsEnd.js';
import type { SessionSettings } from './SessionSettings.js';

type Lane<K, T> = SessionLane<K, T, KeyedSession<K, T>>;

interface LiveOwner<K, T, R> {
  readonly destination: Subscriber<R>;
  readonly lanes: SessionLanes<K, T, KeyedSession<K, T>>;
  readonly results: SessionResults<SessionOutput<KeyedSession<K, T>, R>, R>;
  readonly end: SessionsEnd<K, T, R>;
  /** A value could be taken that could not before. */
  readonly onTaken: () => void;
  /** A session is over, or could make room for another. */
  readonly onMoved: () => void;
}

/** The sessions that are not over: how they are opened, and how they are closed. */
export class LiveSessions<K, T, R> {
  readonly clock: SessionClock<K, T>;
  readonly where: string;
  private readonly handlers: SessionHandlers<K, T, R>;
  private readonly sessions = new Set<KeyedSession<K, T>>();
  /** How many of them take nothing more. */
  private closing = 0;
  private sourceCompleted = false;

  constructor(
    private readonly settings: SessionSettings<K, T, R>,
    private readonly owner: LiveOwner<K, T, R>,
  ) {
    this.clock = new SessionClock(settings, settings.patience.scheduler, this);
    this.where = settings.where;
    const { destination, results, end } = owner;
    this.handlers = new SessionHandlers(settings.handler, {
      ...{ destination, results, end },
      onResult: (session) => {
        if (!session.draining) this.clock.touch(session); // else it rests anew when that is done
      },
      onEnd: (session) => {
        this.endInput(session, 'handler');
      },
      onFree: (session) => {
        this.free(session);
      },
    });
  }

  get size(): number {
    return this.sessions.size;
  }

  get closed(): boolean {
    return this.owner.end.closed;
  }

  /** Whether more are needed than there will be when those that are closing are over. */
  get lacksRoom(): boolean {
    return this.owner.lanes.shortage > this.closing;
  }

  open(lane: Lane<K, T>): void {
    const { owner } = this;
    const session = new KeyedSession<K, T>(this, lane, new InnerWork(owner.end.works));
    owner.lanes.start(lane, session); // before onOpen and handler, which may push into the source
    this.sessions.add(session);
    if (!this.tellOpened(session)) return;
    this.clock.begin(session);
    this.handlers.start(session);
    if (this.sourceCompleted) this.seal(session, 'source');
  }

  /** Each is closed when it has taken what waits for it. */
  completeSource(): void {
    this.sourceCompleted = true;
    for (const session of [...this.sessions]) this.seal(session, 'source');
  }

  /** Closes those that have been idle for longest, as many as it needs, if there are so many. */
  makeRoom(): void {
    while (this.lacksRoom && !this.closed) {
      const idle = this.clock.findIdle();
      if (!idle) return;
      this.close(idle, 'max-sessions');
    }
  }

  /** Adds what is to be torn down. */
  addTo(teardown: Subscription): void {
    this.handlers.addTo(teardown);
    for (const session of this.sessions) {
      teardown.add(() => {
        session.cutOff();
      });
    }
  }

  /** They are cut off. */
  clear(reason: SessionCloseReason): void {
    const { sessions, clock, owner } = this;
    const keys = Array.from(sessions, ({ key }) => key);
    for (const session of sessions) {
      clock.end(session);
      owner.lanes.end(session.lane);
    }
    sessions.clear();
    for (const key of keys) this.tellClosed(key, reason);
  }

  /** What comes from now on is for the next session of the key. */
  private seal(session: KeyedSession<K, T>, reason: SessionCloseReason): void {
    if (!session.isOpen || this.closed) return;
    session.reason ??= reason;
    this.owner.lanes.seal(session.lane);
    session.drain();
  }

  private close(session: KeyedSession<K, T>, reason: SessionCloseReason): void {
    this.endInput(session, reason);
    session.end();
  }

  /** From now on values wait for the next session. */
  private endInput(session: KeyedSession<K, T>, reason: SessionCloseReason): void {
    if (!session.isOpen) return;
    session.isOpen = false;
    session.reason = reason;
    this.closing++;
    this.clock.end(session);
  }

  /** Gives whether it may go on. A session of which `onOpen` throws has not been opened. */
  private tellOpened(session: KeyedSession<K, T>): boolean {
    try {
      this.settings.onOpen(session.key);
    } catch (thrown) {
      this.sessions.delete(session);
      this.owner.lanes.end(session.lane);
      session.inner.end();
      this.owner.end.onThrow(thrown);
    }
    return !this.closed;
  }

  private tellClosed(key: K, reason: SessionCloseReason): void {
    try {
      this.settings.onClose(key, reason);
    } catch (thrown) {
      this.owner.end.onThrow(thrown);
    }
  }

  // What sessions report

  take(lane: Lane<K, T>): T {
    return this.owner.lanes.shift(lane);
  }

  finish(session: KeyedSession<K, T>): void {
    this.close(session, session.reason ?? 'source');
  }

  rest(session: KeyedSession<K, T>): void {
    this.clock.rest(session);
    if (this.lacksRoom) this.owner.onMoved();
    this.owner.onTaken();
  }

  work(session: KeyedSession<K, T>): void {
    this.clock.work(session);
    this.owner.onTaken();
  }

  // What the clock reports

  onIdle(session: KeyedSession<K, T>): void {
    this.close(session, 'idle');
  }

  onAged(session: KeyedSession<K, T>): void {
    this.seal(session, 'age');
  }

  onRung(): void {
    this.owner.onMoved();
  }

  /** All that was to be done for the session is done. */
  private free(session: KeyedSession<K, T>): void {
    if (this.closed) return;
    const { key, lane, isRead, reason = 'handler' } = session;
    this.sessions.delete(session);
    this.closing--;
    this.owner.lanes.end(lane);
    this.tellClosed(key, reason);
    if (reason === 'handler' && !isRead && lane.size > 0)
      this.owner.end.fail(new UnreadSessionError(this.where, lane.size));
    this.owner.onMoved();
  }
}
