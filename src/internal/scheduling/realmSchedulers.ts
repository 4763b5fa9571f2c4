import type { SchedulerLike } from 'rxjs';
import { priorities, type Priority } from './prioritizedTask.js';
import { PriorityLanes } from './PriorityLanes.js';

type RealmSchedulers = Readonly<Record<Priority, SchedulerLike>>;

// A registered symbol, so that two copies of the package (ESM and CommonJS, two bundles) share one line: what the first that
// is asked has put there are schedulers as any others, so that all that the copies have to agree on is this name.
const realmKey: unique symbol = Symbol.for('rxjs-flow-control.priority-schedulers');

/** The schedulers of all priorities of this realm: page, frame, worker or process. */
export function realmSchedulers(): RealmSchedulers {
  const realm = globalThis as { [realmKey]?: RealmSchedulers };
  return (realm[realmKey] ??= create());
}

function create(): RealmSchedulers {
  const { schedulers } = new PriorityLanes();
  return Object.fromEntries(
    priorities.map((priority, lane) => [priority, schedulers[lane]]),
  ) as object as RealmSchedulers;
}
