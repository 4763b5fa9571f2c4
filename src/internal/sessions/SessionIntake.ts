import type { Subscriber } from 'rxjs';
import { BufferOverflowError } from '../../errors/BufferOverflowError.js';
import { TooManySessionsError } from '../../errors/TooManySessionsError.js';
import type { Gate } from '../../link/protocol.js';
import type { SessionLanes } from '../../machines/SessionLanes.js';
import { operate } from '../operate.js';
import { IntakeGate } from './IntakeGate.js';
import type { KeyedSession } from './KeyedSession.js';
import type { SessionsEnd } from './SessionsEnd.js';
import type { SessionSettings } from './SessionSettings.js';

interface IntakeOwner<R> {
  readonly destination: Subscriber<R>;
  readonly below: Gate | undefined;
  /** Whether one of the sessions could take a value that comes. */
  readonly canTake: () => boolean;
  /** A value waits, or has been dropped. */
  readonly onMoved: () => void;
  readonly onCompleted: () => void;
}

/** Where values come in: each goes to the session of its key at once, or waits for it. */
export class SessionIntake<K, T, R> {
  readonly subscriber: Subscriber<T>;
  readonly gate: IntakeGate;
  private sourceCompleted = false;
  /** How many are being asked for their key. */
  private asked = 0;

  constructor(
    private readonly settings: SessionSettings<K, T, R>,
    private readonly lanes: SessionLanes<K, T, KeyedSession<K, T>>,
    private readonly end: SessionsEnd<K, T, R>,
    private readonly owner: IntakeOwner<R>,
  ) {
    this.gate = new IntakeGate(() => this.hasRoom(), owner.below);
    this.subscriber = operate<T, R>({
      destination: owner.destination,
      gate: this.gate,
      next: (value) => {
        this.receive(value);
      },
      error: (error) => {
        end.fail(error);
      },
      complete: () => {
        this.sourceCompleted = true;
        owner.onCompleted();
      },
    });
  }

  /** No more values come. */
  get isOver(): boolean {
    return this.sourceCompleted && this.asked === 0;
  }

  private receive(value: T): void {
    const { end, settings, lanes } = this;
    let key: K;
    this.asked++; // the source may complete meanwhile
    try {
      key = settings.key(value);
    } catch (thrown) {
      end.onThrow(thrown);
      end.drops.value(value);
      return;
    } finally {
      this.asked--;
    }
    if (end.closed) end.drops.value(value);
    else if (!lanes.get(key)?.session?.pass(value)) this.wait(key, value);
  }

  private wait(key: K, value: T): void {
    const { lanes, settings, owner } = this;
    const isNew = !lanes.get(key);
    if (isNew && lanes.hasFreeSlot) lanes.open(key, value);
    else if (isNew && settings.onMaxSessions === 'drop') this.refuse(value);
    else if (isNew && settings.onMaxSessions === 'error') {
      this.fail(new TooManySessionsError(settings.where, settings.maxSessions), value);
    } else this.offer(key, value);
    owner.onMoved();
  }

  private offer(key: K, value: T): void {
    const { lanes, end } = this;
    const dropped = lanes.offer(key, value);
    if (!dropped) {
      this.fail(this.overflowError(key), value, 'overflow');
      return;
    }
    // Told at once: what comes while the sessions go on is behind it.
    for (const each of dropped) end.drops.value(each.value, 'overflow');
    lanes.get(key)?.session?.drain();
    for (const { lane } of dropped) lane.session?.drain();
  }

  /** A first value opens a session, whatever waits. One that the session could not take at once counts like all others. */
  trim(): void {
    const { lanes, end, settings } = this;
    while (!end.closed && lanes.size > settings.bufferSize) {
      const dropped = lanes.trim();
      if (!dropped) end.fail(new BufferOverflowError(settings.where, 'values', lanes.size));
      for (const each of dropped ?? []) end.drops.value(each.value, 'overflow');
      for (const { lane } of dropped ?? []) lane.session?.drain();
    }
  }

  private refuse(value: T): void {
    try {
      this.settings.onDrop(value, 'max-sessions');
    } catch (thrown) {
      this.end.onThrow(thrown);
    }
  }

  private fail(error: unknown, value: T, reason?: 'overflow'): void {
    this.end.fail(error);
    this.end.drops.value(value, reason);
  }

  private overflowError(key: K): BufferOverflowError {
    const { where, bufferSizePerKey } = this.settings;
    const { size = 0 } = this.lanes.get(key) ?? {};
    return size >= bufferSizePerKey
      ? new BufferOverflowError(where, 'values of a session', size)
      : new BufferOverflowError(where, 'values', this.lanes.size);
  }

  /** Beyond the mark it reads on only while somebody could take a value that comes. */
  private hasRoom(): boolean {
    const { lanes, settings, gate, end, owner } = this;
    if (end.closed || lanes.full > 0) return false;
    if (lanes.size < settings.highWaterMark) return true;
    return lanes.size < settings.bufferSize && gate.isBelowOpen && (lanes.hasFreeSlot || owner.canTake());
  }
}
