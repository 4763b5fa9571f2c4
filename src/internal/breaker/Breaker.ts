import { BehaviorSubject, Observable, type SchedulerLike } from 'rxjs';
import { CircuitOpenError } from '../../errors/CircuitOpenError.js';
import {
  Circuit,
  type CallOutcome,
  type CircuitCall,
  type CircuitRules,
  type CircuitState,
} from '../../machines/Circuit.js';
import { RingBuffer } from '../../machines/RingBuffer.js';
import { SteadyTime } from '../../machines/SteadyTime.js';
import { Alarm } from '../Alarm.js';
import { reportUnhandled } from '../reportUnhandled.js';
import type { CircuitBreakerStatistics } from './CircuitBreaker.js';

export interface BreakerSettings {
  readonly rules: CircuitRules;
  readonly isFailure: (error: unknown) => boolean;
  readonly isIgnored: (error: unknown) => boolean;
  readonly scheduler: SchedulerLike;
  /** Who refuses, for messages. */
  readonly where: string;
}

const tallies = { success: 'succeeded', failure: 'failed', none: 'ignored' } as const;

/** A circuit that several share, with the clock. Nothing of what it tells is told while it is being changed. */
export class Breaker {
  private readonly circuit: Circuit;
  private readonly time = new SteadyTime();
  private readonly counts = { running: 0, succeeded: 0, failed: 0, ignored: 0, refused: 0, openings: 0 };
  /** States that nobody has been told of. */
  private readonly news = new RingBuffer<CircuitState>();
  private readonly told: BehaviorSubject<CircuitState>;
  private telling = false;
  private watchers = 0;
  private readonly alarm: Alarm;

  constructor(private readonly settings: BreakerSettings) {
    const onState = (state: CircuitState) => {
      if (state.status === 'open') this.counts.openings++;
      this.news.push(state);
    };
    this.circuit = new Circuit(settings.rules, onState, this.now());
    this.told = new BehaviorSubject(this.news.shift());
    this.alarm = new Alarm(settings.scheduler, () => {
      try {
        this.look();
      } catch (thrown) {
        reportUnhandled(thrown); // by openFor
      }
      this.setAlarm(); // also if it has rung too early
    });
  }

  get state(): CircuitState {
    this.look();
    return this.circuit.state;
  }

  get statistics(): CircuitBreakerStatistics {
    this.look();
    return Object.freeze({ ...this.counts });
  }

  readonly state$ = new Observable<CircuitState>((subscriber) => {
    this.look();
    this.watchers++;
    subscriber.add(() => {
      this.watchers--;
      this.setAlarm();
    });
    this.told.subscribe(subscriber);
    this.setAlarm();
  });

  open(): void {
    this.circuit.open(this.now());
    this.tell();
  }

  close(): void {
    this.circuit.close(this.now());
    this.tell();
  }

  /** Gives nothing if the call is refused. */
  start(): CircuitCall | undefined {
    const now = this.now(); // one for both: what becomes due in between would not be told
    this.look(now); // those who watch may open or close it
    const call = this.circuit.start(now);
    if (call) this.counts.running++;
    else this.counts.refused++;
    if (this.watchers > 0) this.setAlarm();
    return call;
  }

  /** Once for each call that was let pass. */
  end(call: CircuitCall, given: CallOutcome): void {
    const { circuit, counts } = this;
    const now = this.now();
    const outcome = circuit.judge(call, now, given);
    call.ended = true; // whatever openFor does
    counts.running--;
    counts[tallies[outcome]]++;
    circuit.end(call, now, outcome);
    this.tell();
  }

  outcomeOf(error: unknown): CallOutcome {
    const { isFailure, isIgnored } = this.settings;
    if (isIgnored(error)) return 'none';
    return isFailure(error) ? 'failure' : 'success';
  }

  refusal(): CircuitOpenError {
    const { circuit, settings } = this;
    const status = circuit.state.status === 'open' ? 'open' : 'half-open';
    return new CircuitOpenError(settings.where, status, circuit.retryAfter(this.now()));
  }

  private look(now = this.now()): void {
    this.circuit.advance(now);
    this.tell();
  }

  private tell(): void {
    const { news, told } = this;
    if (!this.telling) {
      this.telling = true;
      while (news.size > 0) told.next(news.shift());
      this.telling = false;
    }
    this.setAlarm();
  }

  private setAlarm(): void {
    if (this.watchers === 0) this.alarm.stop();
    else this.alarm.set(this.circuit.due, this.now());
  }

  private now(): number {
    return this.time.at(this.settings.scheduler.now());
  }
}
