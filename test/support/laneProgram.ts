import fc from 'fast-check';
import { BehaviorSubject, merge, Observable, Subject, tap, VirtualTimeScheduler } from 'rxjs';
import { bufferedMergeMap, fromPull, gatedBy, type BufferedMergeMapOptions, type Overflow } from '../../src/index.js';
import { ManualGate } from './ManualGate.js';
import { settle } from './settle.js';

interface Value {
  readonly key: string;
  readonly priority: number;
  /** How long its inner source takes; 0: it is synchronous. */
  readonly duration: number;
  /** When a source that cannot wait brings it. */
  readonly at: number;
}

interface Step {
  readonly at: number;
  readonly to: number;
}

/** A random use of `bufferedMergeMap` with its keys, priorities, ages and limits. */
export interface LaneProgram {
  /** Several that can wait, or one that cannot. */
  readonly pulled: readonly (readonly Value[])[] | undefined;
  readonly pushed: readonly Value[];
  readonly concurrent: number;
  /** Else the limit stays. */
  readonly limits: readonly Step[];
  /** When a gate below closes (0) and opens. */
  readonly gates: readonly Step[] | undefined;
  readonly keyed: boolean;
  readonly concurrentPerKey: number;
  readonly maxPerKey: number | undefined;
  readonly prioritized: boolean;
  readonly ageing: number;
  readonly maxAge: number | undefined;
  readonly bufferSize: number;
  readonly highWaterMark: number | undefined;
  readonly overflow: Overflow;
  readonly ordered: boolean;
  /** What the consumer does when it gets its n-th result. */
  readonly reactions: readonly { readonly on: number; readonly act: 'raise' | 'lower' | 'send' | 'unsubscribe' }[];
  readonly unsubscribeAt: number | undefined;
}

const value = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  priority: fc.integer({ min: -2, max: 2 }),
  duration: fc.nat(6),
  at: fc.nat(20),
});
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const steps = (to: fc.Arbitrary<number>) => fc.array(fc.record({ at: fc.nat(40), to }), { maxLength: 6 });
const overflow = fc.constantFrom<Overflow>('error', 'drop-oldest', 'drop-newest', 'drop-buffer');

const programs = {
  pulled: fc.constant(undefined),
  pushed: fc.constant([]),
  concurrent: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.constant(Infinity)),
  limits: fc.oneof(fc.constant([]), steps(fc.nat(4))),
  gates: rarely(steps(fc.nat(1))),
  keyed: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
  concurrentPerKey: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.constantFrom(2, 3, Infinity)),
  maxPerKey: fc.constant(undefined),
  prioritized: fc.boolean(),
  ageing: fc.constantFrom(0, 1, 3, Infinity),
  maxAge: rarely(fc.nat(12)),
  bufferSize: fc.oneof({ weight: 5, arbitrary: fc.nat(6) }, fc.constant(Infinity)),
  highWaterMark: fc.oneof(fc.constant(undefined), fc.nat(6)),
  overflow,
  ordered: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  reactions: fc.constant([]),
  unsubscribeAt: fc.constant(undefined),
};

/** A mark beyond the bound would be refused, and so would slots without number that are told. */
const possible = (program: LaneProgram): LaneProgram => ({
  ...program,
  limits: program.concurrent === Infinity ? [] : program.limits,
  highWaterMark: program.highWaterMark === undefined ? undefined : Math.min(program.highWaterMark, program.bufferSize),
});

/** Sources that can wait, and nothing that ends it before its time. */
export const pullingPrograms: fc.Arbitrary<LaneProgram> = fc
  .record({
    ...programs,
    pulled: fc.array(fc.array(value, { maxLength: 12 }), { minLength: 1, maxLength: 3 }),
  })
  .map(possible);

/** A source that cannot wait, a consumer that interferes, and ends of all kinds. */
export const pushingPrograms: fc.Arbitrary<LaneProgram> = fc
  .record({
    ...programs,
    pushed: fc.array(value, { maxLength: 25 }),
    maxPerKey: fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 3 })),
    reactions: fc.array(
      fc.record({
        on: fc.integer({ min: 1, max: 8 }),
        act: fc.constantFrom('raise' as const, 'lower' as const, 'send' as const, 'unsubscribe' as const),
      }),
      { maxLength: 3 },
    ),
    unsubscribeAt: rarely(fc.integer({ min: 1, max: 20 })),
  })
  .map(possible);

interface Job extends Value {
  readonly id: number;
}

/** What is known of a value that has come. */
interface Account {
  readonly job: Job;
  readonly cameAt: number;
  fate: 'waits' | 'runs' | 'done' | 'dropped';
  completed: boolean;
  delivered: boolean;
}

export interface LaneRun {
  /** What was not as it should be. */
  readonly problems: readonly string[];
  readonly end: 'complete' | 'stalled' | 'unsubscribed' | { readonly error: unknown };
  readonly sent: number;
  readonly delivered: readonly number[];
  readonly dropped: readonly { readonly id: number; readonly reason: string }[];
}

/** Plays a program, and looks whether what must hold does so at each moment. */
export async function runLaneProgram(program: LaneProgram): Promise<LaneRun> {
  const { keyed, concurrentPerKey, prioritized, ageing, maxAge, bufferSize, ordered } = program;
  const scheduler = new VirtualTimeScheduler(undefined, 0);
  const limit = new BehaviorSubject(program.concurrent);
  const changes = program.limits.length > 0 || (program.reactions.length > 0 && program.concurrent < Infinity);
  const gate = program.gates && new ManualGate(true);
  const accounts: Account[] = [];
  const problems: string[] = [];
  const starts: Account[] = [];
  const delivered: number[] = [];
  const dropped: { id: number; reason: string }[] = [];
  let end: LaneRun['end'] = 'stalled';
  let unread = 0;
  let ids = 0;

  const expect = (holds: boolean, what: string) => {
    if (!holds) problems.push(`${String(scheduler.frame)}: ${what}`);
  };
  const those = (fate: Account['fate']) => accounts.filter((account) => account.fate === fate);
  const accountOf = (id: number) => accounts.find(({ job }) => job.id === id) as Account;
  const named = ({ job }: Account) => `${job.key}${String(job.id)}`;
  const leaveIfOver = (account: Account) => {
    if (account.completed && account.delivered && account.fate === 'runs') account.fate = 'done';
  };
  const ofKey = (list: readonly Account[], key: string) => list.filter(({ job }) => job.key === key);

  /** Who may be the next, the best first. */
  const startable = (): Account[] => {
    const waiting = those('waits');
    const rank = ({ job, cameAt }: Account) =>
      !prioritized || ageing === 0 ? 0 : ageing === Infinity ? -job.priority : cameAt - job.priority * ageing;
    return waiting
      .filter(
        (account) =>
          !keyed ||
          (ofKey(waiting, account.job.key)[0] === account &&
            ofKey(those('runs'), account.job.key).length < concurrentPerKey),
      )
      .sort((a, b) => rank(a) - rank(b) || accounts.indexOf(a) - accounts.indexOf(b));
  };

  const project = (job: Job): Observable<number> => {
    const account = accountOf(job.id);
    expect(account.fate === 'waits', `${named(account)} is started, which ${account.fate}`);
    expect(those('runs').length < limit.value, `${named(account)} has no slot`);
    // A result that waited takes its slot along into `next`: who waits for that key may start only a moment later.
    const candidates = ordered || gate ? startable() : startable().slice(0, 1);
    expect(candidates.includes(account), `${named(account)} is started before ${startable().map(named).join(', ')}`);
    if (maxAge !== undefined) {
      const age = scheduler.frame - account.cameAt;
      expect(age === 0 || age < maxAge, `${named(account)} is started at the age of ${String(age)}`);
    }
    account.fate = 'runs';
    starts.push(account);
    return new Observable((subscriber) => {
      const finish = () => {
        subscriber.next(job.id);
        account.completed = true;
        leaveIfOver(account);
        subscriber.complete();
      };
      if (job.duration === 0) finish();
      else subscriber.add(scheduler.schedule(finish, job.duration));
    });
  };

  const onDrop = ({ id }: Job, reason: string) => {
    const account = accountOf(id);
    expect(account.fate === 'waits', `${named(account)} is dropped, which ${account.fate}`);
    const age = scheduler.frame - account.cameAt;
    if (reason === 'age') expect(age === maxAge, `${named(account)} is dropped at the age of ${String(age)}`);
    account.fate = 'dropped';
    dropped.push({ id, reason });
  };

  const arrives = (job: Job) => {
    accounts.push({ job, cameAt: scheduler.frame, fate: 'waits', completed: false, delivered: false });
  };

  const push = new Subject<Job>();
  const source: Observable<Job> = program.pulled
    ? merge(
        ...program.pulled.map((values) => {
          unread += values.length;
          return fromPull(
            values.map((each) => ({ ...each, id: ids++ })),
            { slice: Infinity },
          ).pipe(tap(() => unread--));
        }),
      )
    : push;

  const options: BufferedMergeMapOptions<Job, number> = {
    concurrent: changes ? limit : program.concurrent,
    bufferSize,
    overflow: program.overflow,
    ordered,
    ageing,
    scheduler,
    onDrop,
    ...(keyed && { key: ({ key }) => key, concurrentPerKey }),
    ...(keyed && program.maxPerKey !== undefined && { maxPerKey: program.maxPerKey }),
    ...(prioritized && { priority: ({ priority }) => priority }),
    ...(maxAge !== undefined && { maxAge }),
    ...(program.highWaterMark !== undefined && { highWaterMark: program.highWaterMark }),
  };

  const send = (each: Value) => {
    if (end === 'stalled') push.next({ ...each, id: ids++ });
  };
  for (const each of program.pushed) {
    scheduler.schedule(() => {
      send(each);
    }, each.at);
  }
  const lastLimit = Math.max(1, program.limits.at(-1)?.to ?? program.concurrent);
  for (const { at, to } of changes ? [...program.limits, { at: 60, to: lastLimit }] : []) {
    scheduler.schedule(() => {
      limit.next(to);
    }, at);
  }
  for (const { at, to } of gate ? [...(program.gates ?? []), { at: 60, to: 1 }] : []) {
    scheduler.schedule(() => {
      if (gate) gate.ready = to === 1;
    }, at);
  }
  if (!program.pulled) {
    scheduler.schedule(() => {
      push.complete();
    }, 30);
  }

  const results = source.pipe(tap(arrives), bufferedMergeMap(project, options));
  const subscription = (gate ? results.pipe(gatedBy(gate)) : results).subscribe({
    next: (id) => {
      const account = accountOf(id);
      expect(account.fate === 'runs' && !account.delivered, `${named(account)} is delivered, which ${account.fate}`);
      account.delivered = true;
      delivered.push(id);
      leaveIfOver(account);
      for (const { on, act } of program.reactions) {
        if (on !== delivered.length) continue;
        if (act === 'raise') limit.next(limit.value + 1);
        else if (act === 'lower') limit.next(Math.min(limit.value, Math.max(1, limit.value - 1)));
        else if (act === 'unsubscribe') unsubscribe();
        else send({ key: 'a', priority: 1, duration: 2, at: 0 });
      }
    },
    error: (error: unknown) => (end = { error }),
    complete: () => (end = 'complete'),
  });
  const unsubscribe = () => {
    if (end === 'stalled') end = 'unsubscribed';
    subscription.unsubscribe();
  };
  if (program.unsubscribeAt !== undefined) scheduler.schedule(unsubscribe, program.unsubscribeAt);

  /** What holds whenever nothing is going on. */
  const look = () => {
    if (end !== 'stalled') return;
    const waiting = those('waits').length;
    const running = those('runs').length;
    expect(waiting <= bufferSize, `${String(waiting)} wait`);
    for (const key of 'abcd') {
      const ofThis = ofKey(those('runs'), key).length;
      if (keyed) expect(ofThis <= concurrentPerKey, `${String(ofThis)} of ${key} run`);
    }
    if (running >= limit.value) return;
    const heedsBelow = gate && limit.value === Infinity;
    expect(startable().length === 0, `a slot is free, and ${startable().map(named).join(', ')} could start`);
    const mayHaveToWait = bufferSize === 0 && keyed && running > 0;
    if (!mayHaveToWait && !heedsBelow)
      expect(waiting >= bufferSize || unread === 0, `a slot is free, and ${String(unread)} are not read`);
    if (bufferSize === 0 && !heedsBelow)
      expect(running > 0 || unread === 0, `nothing runs, and ${String(unread)} are not read`);
  };

  const { actions } = scheduler as unknown as { actions: { readonly delay: number; readonly closed: boolean }[] };
  await settle(5);
  look();
  while (actions.length > 0 && scheduler.frame < 10_000) {
    scheduler.maxFrames = Math.min(...actions.map(({ delay }) => delay));
    scheduler.flush();
    await settle(5);
    look();
  }

  for (const key of keyed ? 'abcd' : '') {
    const inOrder = (list: readonly Account[]) =>
      list.every((each, i) => i === 0 || accounts.indexOf(each) > accounts.indexOf(list[i - 1] as Account));
    expect(inOrder(ofKey(starts, key)), `starts of ${key} are not in order`);
    if (concurrentPerKey === 1 || ordered)
      expect(inOrder(ofKey(delivered.map(accountOf), key)), `results of ${key} are not in order`);
  }
  if (ordered)
    expect(
      delivered.join() ===
        starts
          .map(({ job }) => job.id)
          .slice(0, delivered.length)
          .join(),
      'results are not in the order of the starts',
    );
  const atEnd = dropped
    .filter(({ reason }) => reason === 'error' || reason === 'unsubscribe')
    .map(({ id }) => accounts.indexOf(accountOf(id)));
  expect(
    atEnd.every((each, i) => i === 0 || each > (atEnd[i - 1] ?? 0)),
    'what waited is not handed over in order',
  );
  expect(those('waits').length === 0 || end === 'stalled', `${those('waits').map(named).join(', ')} vanished`);
  expect(gate?.waiters.size === 0 || !gate || end === 'stalled', 'somebody waits at the gate after the end');
  expect(!limit.observed || end === 'stalled', 'the limit is observed after the end');
  return { problems, end, sent: accounts.length, delivered, dropped };
}
