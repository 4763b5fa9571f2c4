import type { Accepted, Rejection } from './examine.js';
import { Refusal } from './Refusal.js';

export type ErrorPolicy = 'skip' | 'fail';

/** How many rejections are told one by one. */
const told = 100;

/** What has become of the lines of an upload. */
export class Tally {
  private accepted = 0;
  private rejected = 0;
  private readonly rejections: Rejection[] = [];

  constructor(private readonly onError: ErrorPolicy) {}

  /** Whether it is a record. Throws at a line that is none, if that is the policy. */
  readonly take = (examined: Accepted | Rejection): examined is Accepted => {
    if ('record' in examined) {
      this.accepted++;
      return true;
    }
    const { line, reason } = examined;
    if (this.onError === 'fail') throw new Refusal(422, `line ${String(line)}: ${reason}`);
    this.rejected++;
    if (this.rejections.length < told) this.rejections.push(examined);
    return false;
  };

  summary(name: string, bytes: number): object {
    const { accepted, rejected, rejections } = this;
    return { name, accepted, rejected, bytes, rejections };
  }
}
