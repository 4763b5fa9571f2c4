import type { SchedulerLike } from 'rxjs';
import type { ShutdownReport } from '../../errors/ShutdownError.js';
import type { Shutdown } from './Shutdown.js';

/** One who takes part in the drain. */
export interface Participant {
  /** Take nothing new. */
  stop(reason: unknown): void;
  /** Stop working. */
  abort(timedOut: boolean): void;
  /** Nobody waits any longer: tell how far it has come. */
  giveUp(): void;
}

/** What a pipeline has to know of the shutdown that it takes part in. */
export interface Participation {
  readonly scheduler: SchedulerLike;
  /** With what, if it has been stopped already. */
  readonly stopped: { readonly reason: unknown } | undefined;
  /** How, if the time for the drain is over already. */
  readonly aborted: { readonly timedOut: boolean } | undefined;
  /** For how long the clean-up will be waited for if it begins now, in milliseconds. */
  readonly cleanupTimeout: number;
  /** To be called when the pipeline has ended; with the report, if it had been stopped. Gives whether it was still waited for. */
  leave(pipeline: Participant, report?: ShutdownReport): boolean;
}

// A registered symbol, so that two copies of the package understand each other.
const joinKey: unique symbol = Symbol.for('rxjs-flow-control.join-shutdown');

export type Join = (pipeline: Participant) => Participation;

/** As a field of its own, so that it stays where a shutdown is spread into another object. */
export function withJoin(shutdown: Shutdown, join: Join): Shutdown {
  return Object.assign(shutdown, { [joinKey]: join });
}

export function joinOf(shutdown: unknown): Join | undefined {
  return (shutdown as { readonly [joinKey]?: Join } | null | undefined)?.[joinKey];
}
