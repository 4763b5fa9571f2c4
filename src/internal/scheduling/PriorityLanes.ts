import { AgeingLine } from '../../machines/AgeingLine.js';
import type { LinkedList } from '../../machines/LinkedList.js';
import { ActionScheduler } from './ActionScheduler.js';
import { priorities, prioritizedTask } from './prioritizedTask.js';
import type { ScheduledAction } from './ScheduledAction.js';

/** How long those of each priority stand behind others until they have 1 ms, in ms. */
const patience = [0, 20, 100];

/** How long a slice lasts, in ms. */
const budget = 8;

/** A slice that is to come. */
interface Request {
  /** For whom it was asked for. */
  readonly lane: number;
  /** As it was then: fake timers that are taken away have taken the slice with them. */
  readonly setImmediate: unknown;
  readonly cancel: () => void;
}

/** Runs the actions of all priorities, in slices: each is a task of the platform. */
export class PriorityLanes {
  /** For each of the priorities. */
  readonly schedulers: readonly ActionScheduler[];
  private readonly line = new AgeingLine<ScheduledAction>(patience);
  private request: Request | undefined;
  private inSlice = false;

  constructor() {
    this.schedulers = this.line.lanes.map((lane) => new LaneScheduler(this, lane));
  }

  /** Sees to it that a slice is to come exactly as long as somebody waits for it, and as urgent as the most urgent of them. */
  arrange(): void {
    if (this.inSlice) return;
    const lane = this.schedulers.findIndex(isWaiting);
    const { setImmediate } = globalThis as { setImmediate?: unknown };
    if (this.request?.lane === lane && this.request.setImmediate === setImmediate) return;
    this.request?.cancel();
    if (lane < 0) this.line.rest();
    const priority = priorities[lane];
    this.request = priority && { lane, setImmediate, cancel: prioritizedTask(priority, this.runSlice) };
  }

  private readonly runSlice = (isPrioritized: boolean): void => {
    const { line } = this;
    // A task with a priority ends before those who are less urgent, so that others of the page may go before them.
    const last = isPrioritized && this.request ? this.request.lane : priorities.length;
    this.request = undefined;
    this.inSlice = true;
    for (const scheduler of this.schedulers) scheduler.lineUpFired();
    let now = performance.now();
    const end = now + budget;
    for (let lane = line.next(); lane >= 0 && line.foremost() <= last; lane = line.next()) {
      line.lanes[lane]?.first?.run();
      const begin = now;
      now = performance.now();
      line.ran(lane, now - begin);
      if (now >= end) break;
    }
    this.inSlice = false;
    this.arrange();
  };
}

const isWaiting = ({ ready, fired }: ActionScheduler): boolean => (ready.first ?? fired.first) !== undefined;

/** Its actions stand in one lane of the line that all share. */
class LaneScheduler extends ActionScheduler {
  constructor(
    private readonly lanes: PriorityLanes,
    lane: LinkedList<ScheduledAction>,
  ) {
    super(lane);
  }

  arrange(): void {
    this.lanes.arrange();
  }
}
