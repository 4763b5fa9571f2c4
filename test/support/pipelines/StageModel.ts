/** What a stage promises. */
export interface StageModel {
  /** `'mixes'`: none. Default: it keeps the order in which values come. */
  readonly order?: 'keeps' | 'by key' | 'mixes';
  /**
   * How far demand reaches through it: it passes, it ends at a gate of its own, below which it heeds that of the consumer,
   * it runs on, several values are made of one, or some are given of its own. Default: it passes.
   */
  readonly demand?:
    'passes' | 'gate' | 'passes if exact' | 'runs on' | { readonly fansOut: number } | { readonly gives: number };
  /** How often it subscribes to what is above, at most; each time that may give some of its own again. Default: once. */
  readonly subscribes?: number;
  /** Before it subscribes again, all above has been cleaned up. */
  readonly waitsForNext?: boolean;
  /** How many values wait inside at most, if what is above heeds demand. Default: no bound. */
  readonly holds?: number;
  /** How many may wait at all. Default: no bound. */
  readonly capacity?: number;
  /** A value beyond that is an error. */
  readonly overflows?: boolean;
  /** What it gives by itself may be too much. */
  readonly overflowsInside?: boolean;
  readonly concurrent?: number;
  readonly concurrentPerKey?: number;
  /** What it may lose in silence. Default: nothing. */
  readonly forgets?: 'nothing' | 'when cut off' | 'anything';
  /** How many values that may be. Default: any number. */
  readonly mostForgotten?: number;
  /** It may come to its end before its source does. */
  readonly cuts?: boolean;
  /** Who is handed a value may be more than one. */
  readonly isShared?: boolean;
  /** Nobody below hears of the clean-up of what is above. */
  readonly cutsScope?: boolean;
  /** For whose clean-up the end waits: of its own work, and when it cuts its source off, of all that is above. */
  readonly waitsFor?: 'its work' | 'all above when it cuts';
  /** The names of errors that it may end with though nothing has failed. */
  readonly errors?: readonly string[];
}

/** How many values may come while a consumer is full: exactly none, or `burst` of each value and `given` besides, or any number. */
export interface Demand {
  readonly burst: number;
  readonly given: number;
}

export const exact: Demand = { burst: 1, given: 0 };
export const free: Demand = { burst: Infinity, given: Infinity };

export const tooMany = ({ burst, given }: Demand): number => burst - 1 + given;

/** What comes into a stage, however often it subscribes. */
export const demandInto = ({ burst, given }: Demand, { subscribes = 1 }: StageModel): Demand => ({
  burst,
  given: given * subscribes,
});

/** `echoes`: what one value brings about may come before all that is made of it is out, and be as much again. */
export function demandBelow(source: Demand, model: StageModel, echoes: boolean): Demand {
  const { demand = 'passes' } = model;
  const above = demandInto(source, model);
  if (demand === 'passes') return above;
  if (demand === 'gate') return exact;
  if (demand === 'passes if exact') return tooMany(above) === 0 ? exact : free;
  if (demand === 'runs on' || echoes) return free;
  if ('fansOut' in demand) {
    const times = Math.max(1, demand.fansOut);
    return { burst: above.burst * times, given: above.given * times };
  }
  return { burst: above.burst, given: above.given + demand.gives };
}

export type Order = 'kept' | 'kept by key' | 'none';

/** `echoes`: as above, and in RxJS it overtakes the rest. */
export function orderBelow(above: Order, { order = 'keeps', demand }: StageModel, echoes: boolean): Order {
  if (order === 'mixes' || above === 'none') return 'none';
  if (echoes && typeof demand === 'object') return 'none';
  return order === 'by key' ? 'kept by key' : above;
}
