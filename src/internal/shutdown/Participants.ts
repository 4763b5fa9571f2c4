import { reportUnhandled } from '../reportUnhandled.js';
import type { Participant, Participation } from './participation.js';

/** Those who drain and have not ended. */
export class Participants {
  private readonly members = new Set<Participant>();
  private held = 0;

  get areGone(): boolean {
    return this.members.size === 0 && this.held === 0;
  }

  add(participant: Participant): void {
    this.members.add(participant);
  }

  /** Gives whether it was there. */
  remove(participant: Participant): boolean {
    return this.members.delete(participant);
  }

  /** Until all there is to tell has been told, they are not gone, also if the last one goes meanwhile. */
  hold(tell: () => void): void {
    this.held++;
    tell();
    this.held--;
  }

  /** One who heard of it before may have asked all to stop working: those who had nothing to stop then are told now. */
  stop(reason: unknown, shutdown: Pick<Participation, 'aborted'>): void {
    this.tell((participant) => {
      participant.stop(reason);
      if (shutdown.aborted) participant.abort(shutdown.aborted.timedOut);
    });
  }

  abort(timedOut: boolean): void {
    this.tell((participant) => {
      participant.abort(timedOut);
    });
  }

  /** Nobody waits any longer. */
  giveUp(): void {
    this.tell((participant) => {
      participant.giveUp();
    });
  }

  /** One who throws must not keep the others from hearing of it; who comes meanwhile looks for itself, and who goes is left alone. */
  private tell(step: (participant: Participant) => void): void {
    for (const participant of [...this.members]) {
      try {
        if (this.members.has(participant)) step(participant);
      } catch (thrown) {
        reportUnhandled(thrown);
      }
    }
  }
}
