import { reportUnhandled } from '../reportUnhandled.js';
import type { Participant } from './participation.js';

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

  /** Until `tell` has told all there is to tell, they are not gone, also if the last one goes meanwhile. */
  hold(tell: () => void): void {
    this.held++;
    tell();
    this.held--;
  }

  /** One who throws must not keep the others from hearing of it; who comes meanwhile looks for itself. */
  tell(step: (participant: Participant) => void): void {
    for (const participant of [...this.members]) {
      try {
        step(participant);
      } catch (thrown) {
        reportUnhandled(thrown);
      }
    }
  }

  /** Nobody waits any longer. */
  giveUp(): void {
    this.tell((participant) => {
      participant.giveUp();
    });
  }
}
