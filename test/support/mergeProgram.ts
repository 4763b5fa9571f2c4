import fc from 'fast-check';
import {
  noop,
  Observable,
  Subject,
  VirtualTimeScheduler,
  type ObservableInput,
  type OperatorFunction,
  type Subscriber,
} from 'rxjs';

/** What a source does at a point of virtual time; 0 is: synchronously, when it is subscribed. */
interface Event {
  readonly at: number;
  readonly kind: 'next' | 'error' | 'complete';
}

/** A random use of `mergeMap`, with everything that it and `bufferedMergeMap` can both say. */
export interface MergeProgram {
  readonly concurrent: number;
  readonly outer: readonly Event[];
  /** The i-th inner source does what `inners[i % inners.length]` says. */
  readonly inners: readonly (readonly Event[] | 'promise' | 'rejection' | 'array' | 'generator')[];
  /** What the consumer does when it gets its n-th value. */
  readonly reactions: readonly { readonly on: number; readonly act: 'push' | 'unsubscribe' | 'complete source' }[];
  readonly throwAt: number | undefined;
  readonly unsubscribeInProjectAt: number | undefined;
  readonly unsubscribeAt: number | undefined;
}

const events = (maxLength: number): fc.Arbitrary<Event[]> =>
  fc
    .tuple(
      fc.array(fc.nat(6), { maxLength }),
      fc.oneof(
        { weight: 8, arbitrary: fc.constant('complete' as const) },
        { weight: 1, arbitrary: fc.constant('error' as const) },
        { weight: 1, arbitrary: fc.constant('never' as const) },
      ),
      fc.nat(8),
    )
    .map(([times, end, endsAt]) => {
      const values = times.sort((a, b) => a - b).map((at) => ({ at, kind: 'next' as const }));
      return end === 'never' ? values : [...values, { at: Math.max(endsAt, values.at(-1)?.at ?? 0), kind: end }];
    });

const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

export const mergePrograms: fc.Arbitrary<MergeProgram> = fc.record({
  concurrent: fc.constantFrom(1, 2, 3, Infinity),
  outer: events(8),
  inners: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: events(3) },
      { weight: 1, arbitrary: fc.constantFrom('promise' as const, 'array' as const, 'generator' as const) },
      { weight: 1, arbitrary: fc.constant('rejection' as const) },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  reactions: fc.array(
    fc.record({
      on: fc.integer({ min: 1, max: 6 }),
      act: fc.constantFrom('push' as const, 'push' as const, 'unsubscribe' as const, 'complete source' as const),
    }),
    { maxLength: 3 },
  ),
  throwAt: rarely(fc.nat(5)),
  unsubscribeInProjectAt: rarely(fc.nat(5)),
  unsubscribeAt: rarely(fc.integer({ min: 1, max: 12 })),
});

export type Merge = (
  project: (value: string, index: number) => ObservableInput<string>,
  concurrent: number,
) => OperatorFunction<string, string>;

/** Runs a program and gives all that could be seen of it, with the frame in which it was seen. */
export async function runMergeProgram(program: MergeProgram, merge: Merge): Promise<string[]> {
  const scheduler = new VirtualTimeScheduler(undefined, 1000);
  const log: string[] = [];
  const see = (what: string) => void log.push(`${String(scheduler.frame)} ${what}`);

  const play = (script: readonly Event[], name: string) =>
    new Observable<string>((subscriber: Subscriber<string>) => {
      see(`subscribe ${name}`);
      subscriber.add(() => {
        see(`teardown ${name}`);
      });
      script.forEach(({ at, kind }, i) => {
        const act = () => {
          if (kind === 'next') subscriber.next(`${name}.${String(i)}`);
          else if (kind === 'error') subscriber.error(`error of ${name}`);
          else subscriber.complete();
        };
        if (at === 0) act();
        else subscriber.add(scheduler.schedule(act, at));
      });
    });

  const feedback = new Subject<string>();
  const source = new Observable<string>((subscriber) => {
    subscriber.add(feedback.subscribe(subscriber));
    return play(program.outer, 'outer').subscribe(subscriber);
  });
  let unsubscribe: () => void = noop;

  const project = (value: string, index: number): ObservableInput<string> => {
    see(`project ${value} ${String(index)}`);
    if (index === program.throwAt) throw new Error('thrown by project');
    if (index === program.unsubscribeInProjectAt) unsubscribe();
    const inner = program.inners[index % program.inners.length] ?? [];
    const name = `inner(${value})`;
    switch (inner) {
      case 'promise':
        return Promise.resolve(`${name}.resolved`);
      case 'rejection':
        return Promise.reject(new Error(`${name} rejected`));
      case 'array':
        return [`${name}.0`, `${name}.1`];
      case 'generator':
        return (function* () {
          try {
            yield `${name}.0`;
            yield `${name}.1`;
          } finally {
            see(`return ${name}`);
          }
        })();
      default:
        return play(inner, name);
    }
  };

  let received = 0;
  let pushed = 0;
  const subscription = source.pipe(merge(project, program.concurrent)).subscribe({
    next: (value) => {
      see(`next ${value}`);
      received++;
      for (const { on, act } of program.reactions) {
        if (on !== received) continue;
        if (act === 'push') feedback.next(`pushed${String(pushed++)}`);
        else if (act === 'unsubscribe') unsubscribe();
        else feedback.complete();
      }
      see(`took ${value}`);
    },
    error: (error: unknown) => {
      see(`error ${String(error)}`);
    },
    complete: () => {
      see('complete');
    },
  });
  unsubscribe = () => {
    subscription.unsubscribe();
  };
  if (program.unsubscribeAt !== undefined) scheduler.schedule(unsubscribe, program.unsubscribeAt);

  // Promises settle between the frames.
  const settle = async () => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  await settle();
  const { actions } = scheduler as unknown as { actions: { delay: number }[] };
  while (actions.length > 0) {
    scheduler.maxFrames = Math.min(...actions.map(({ delay }) => delay));
    scheduler.flush();
    await settle();
    if (scheduler.maxFrames >= 1000) break;
  }
  see(subscription.closed ? 'closed' : 'open');
  return log;
}
