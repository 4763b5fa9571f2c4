import fc from 'fast-check';
import { map, merge, Observable, Subject, Subscription } from 'rxjs';
import { expect, it } from 'vitest';
import { fromPull, gatedBy } from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { shareDemand } from '../../src/operators/shareDemand.js';
import { ManualGate } from '../support/ManualGate.js';
import { settle } from '../support/settle.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

const sourceKinds = ['pulled', 'pulled later', 'merged', 'pushed'] as const;

const actions = fc.oneof(
  /** `gate`: one of three that are shared, or none. */
  { weight: 3, arbitrary: fc.record({ what: fc.constant('join' as const), which: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('leave' as const), which: fc.nat(7) }) },
  { weight: 6, arbitrary: fc.record({ what: fc.constant('open' as const), which: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('close' as const), which: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('push' as const), which: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('settle' as const), which: fc.constant(0) }) },
);
type Action = typeof actions extends fc.Arbitrary<infer Each> ? Each : never;

const programs = fc.record({
  policy: fc.constantFrom('all' as const, 'any' as const),
  kind: fc.constantFrom(...sourceKinds),
  length: fc.nat(12),
  steps: fc.array(actions, { maxLength: 30 }),
  /** What is done inside of the first, second, ... `next` of anybody. */
  inside: fc.array(fc.array(actions, { maxLength: 2 }), { maxLength: 12 }),
});
type Program = typeof programs extends fc.Arbitrary<infer Each> ? Each : never;

interface Member {
  readonly gate: ManualGate | undefined;
  /** How many values there had been when it came. */
  readonly from: number;
  readonly seen: number[];
  readonly subscription: Subscription;
  left: { readonly at: number } | undefined;
  completed: boolean;
}

class Run {
  readonly problems: string[] = [];
  private readonly gates = [new ManualGate(), new ManualGate(), new ManualGate()];
  private readonly members: Member[] = [];
  private readonly pushes = new Subject<number>();
  private readonly shared: Observable<number>;
  /** How many values the source has emitted. */
  private emitted = 0;
  private received = 0;
  private dropped = 0;
  private ended = false;

  constructor(private readonly program: Program) {
    const { policy, kind, length } = program;
    this.shared = this.source(kind, length).pipe(
      (source) =>
        new Observable<number>((destination) => {
          source.subscribe(
            operate<number, number>({
              destination,
              next: () => {
                this.noticeAsked();
                destination.next(this.emitted++);
              },
              complete: () => {
                this.ended = true;
                destination.complete();
              },
            }),
          );
        }),
      shareDemand(policy, {
        bufferSize: Infinity,
        resetOnRefCountZero: false,
        resetOnComplete: false,
        onDrop: () => this.dropped++,
      }),
    );
  }

  private source(kind: Program['kind'], length: number): Observable<number> {
    function* values() {
      for (let i = 0; i < length; i++) yield i;
    }
    switch (kind) {
      case 'pulled':
        return fromPull(values);
      case 'pulled later':
        return fromPull(async function* () {
          for (const value of values()) {
            await settle(3);
            yield value;
          }
        });
      case 'merged':
        return merge(fromPull(values), fromPull(values));
      case 'pushed':
        return this.pushes;
    }
  }

  private check(holds: boolean, problem: string): void {
    if (!holds) this.problems.push(problem);
  }

  private get present(): Member[] {
    return this.members.filter(({ left, completed }) => !left && !completed);
  }

  private canTake = (member: Member): boolean =>
    (member.gate?.ready ?? true) && member.seen.length === this.emitted - member.from;

  private get isAsked(): boolean {
    const { present } = this;
    if (present.length === 0) return false;
    return this.program.policy === 'all' ? present.every(this.canTake) : present.some(this.canTake);
  }

  private noticeAsked(): void {
    if (this.program.kind !== 'pushed') this.check(this.isAsked, `${String(this.emitted)} was not asked for`);
  }

  async run(): Promise<void> {
    for (const step of this.program.steps) {
      if (step.what === 'settle') await settle(40);
      else this.act(step);
    }
    if (this.members.length === 0) this.act({ what: 'join', which: 3 });
    for (let rounds = 0; rounds < 100; rounds++) {
      await settle(40);
      const { emitted } = this;
      if (this.program.kind !== 'pushed' && this.isAsked && !this.ended) {
        await settle(200);
        this.check(this.emitted > emitted || this.ended, 'stalled though it is asked');
      }
      for (const gate of this.gates) gate.ready = true;
    }
    if (this.program.kind === 'pushed') this.pushes.complete();
    for (let rounds = 0; rounds < 100; rounds++) for (const gate of this.gates) gate.ready = true;
    await settle(40);
    this.conclude();
  }

  private conclude(): void {
    let missing = 0;
    for (const { from, seen, left, completed } of this.members) {
      const run = Array.from({ length: (left?.at ?? this.emitted) - from }, (_, i) => from + i);
      this.check(String(seen) === String(run.slice(0, seen.length)), `${String(seen)} is not of ${String(run)}`);
      if (!left) this.check(completed && seen.length === run.length, `${String(seen)} is not all of ${String(run)}`);
      missing += run.length - seen.length;
    }
    this.check(this.dropped === missing, `${String(missing)} are missing, ${String(this.dropped)} dropped`);
    if (this.present.length > 0) this.check(this.ended, 'no end');
    for (const gate of this.gates) this.check(gate.waiters.size === 0, 'somebody waits at a gate');
  }

  private act({ what, which }: Action): void {
    if (what === 'join') this.join(this.gates[which]);
    else if (what === 'push') this.pushes.next(0);
    else if (what === 'open') (this.gates[which] as ManualGate).ready = true;
    else if (what === 'close') (this.gates[which] as ManualGate).ready = false;
    else if (what === 'leave') {
      const member = this.members[which];
      if (!member || member.left || member.completed) return;
      member.left = { at: this.emitted };
      member.subscription.unsubscribe();
    }
  }

  private join(gate: ManualGate | undefined): void {
    if (this.members.length >= 8) return;
    const member: Member = {
      gate,
      from: this.emitted,
      seen: [],
      subscription: new Subscription(),
      left: undefined,
      completed: false,
    };
    this.members.push(member);
    const values = this.shared.pipe(map((value) => value));
    const paced = gate ? values.pipe(gatedBy(gate)) : values;
    // With the subscription in it, so that it can be ended before subscribe() has come back.
    member.subscription.add(
      new Observable<number>((subscriber) => {
        member.subscription.add(subscriber);
        paced.subscribe(subscriber);
      }).subscribe({
        next: (value) => {
          this.check(!member.left && !member.completed, 'got a value after the end');
          this.check(gate?.ready ?? true, 'got a value while its gate was closed');
          member.seen.push(value);
          if (gate) gate.ready = false;
          for (const action of this.program.inside[this.received++] ?? []) this.act(action);
        },
        complete: () => (member.completed = true),
      }),
    );
  }
}

it(
  'shareDemand gives each subscriber every value from when it comes to when it leaves, in order, and only when it can take one',
  async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const run = new Run(program);
        await run.run();
        expect(run.problems).toEqual([]);
      }),
      { numRuns: 500 * times },
    );
  },
  40_000 * times,
);
