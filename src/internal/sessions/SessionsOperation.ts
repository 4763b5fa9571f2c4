import type { Subscriber, Subscription } from 'rxjs';
import { findGate } from '../../link/walk.js';
import { SessionLanes } from '../../machines/SessionLanes.js';
import { drainLoop } from '../drainLoop.js';
import type { KeyedSession } from './KeyedSession.js';
import { LiveSessions } from './LiveSessions.js';
import { SessionIntake } from './SessionIntake.js';
import { SessionResults } from './SessionResults.js';
import { SessionsEnd } from './SessionsEnd.js';
import type { SessionOutput } from './SessionOutput.js';
import type { SessionSettings } from './SessionSettings.js';

/** One subscription to `keyedSessions`. */
export class SessionsOperation<K, T, R> {
  private readonly lanes: SessionLanes<K, T, KeyedSession<K, T>>;
  private readonly results: SessionResults<SessionOutput<KeyedSession<K, T>, R>, R>;
  private readonly live: LiveSessions<K, T, R>;
  private readonly intake: SessionIntake<K, T, R>;
  private readonly end: SessionsEnd<K, T, R>;
  /** Values that come meanwhile have to wait for the end of that, so none are asked for. */
  private advancing = false;

  constructor(
    private readonly destination: Subscriber<R>,
    private readonly settings: SessionSettings<K, T, R>,
  ) {
    const below = findGate(destination);
    const end = (this.end = new SessionsEnd(destination, settings, this));
    const lanes = (this.lanes = new SessionLanes(settings));
    const wake = () => {
      this.intake.gate.wake();
    };
    const onMoved = drainLoop(
      destination,
      () => {
        this.advancing = true;
        this.advance();
        this.advancing = false;
      },
      end.onThrow,
      wake,
    );
    const onTaken = () => {
      if (!this.advancing) wake();
    };
    const { bufferSize, where } = settings;
    const resultSettings = { bufferSize, where, sessions: () => this.live.size, onIdle: onTaken };
    this.results = new SessionResults(destination, below, resultSettings, end as never);
    this.live = new LiveSessions(settings, { destination, lanes, results: this.results, end, onTaken, onMoved });
    const canTake = () => this.live.clock.hasResting;
    const onCompleted = () => {
      this.live.completeSource();
      onMoved();
    };
    this.intake = new SessionIntake(settings, lanes, end, { destination, below, canTake, onMoved, onCompleted });
  }

  get subscriber(): Subscriber<T> {
    return this.intake.subscriber;
  }

  /** Opens sessions, makes room for others, completes: it decides. */
  private advance(): void {
    const { lanes, live, intake, end, settings } = this;
    for (let lane = lanes.next; lane && !end.closed; lane = lanes.next) live.open(lane);
    intake.trim();
    if (settings.onMaxSessions === 'close-oldest-idle') live.makeRoom();
    if (end.closed) return;
    live.clock.set();
    if (intake.isOver && lanes.keys === 0) this.destination.complete();
  }

  // What becomes of its parts at the end

  close(): void {
    this.results.close();
    this.live.clock.stop();
  }

  addTo(teardown: Subscription): void {
    const { intake, end, live } = this;
    teardown.add(intake.subscriber);
    teardown.add(() => {
      end.works.abort();
    });
    live.addTo(teardown);
  }

  drop(): void {
    const { results, lanes, live, end } = this;
    results.drop(); // the older first
    for (const value of lanes.takeAll()) end.drops.value(value);
    live.clear(end.drops.reason);
  }
}
