import fc from 'fast-check';
import { Observable, Subject, takeUntil, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import type { Lease } from '../../src/internal/pool/Pool.js';
import { createPool } from '../../src/resources/createPool.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { Clock, Later } from '../support/Later.js';
import { settle } from '../support/settle.js';
import { collectUnhandled } from '../support/unhandled.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

const unhandled = collectUnhandled();

const which = fc.nat({ max: 30 });
const asked = <const Do extends string>(...does: Do[]) => fc.record({ do: fc.constantFrom(...does), which });
const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('use' as const),
        then: fc.constantFrom('hold', 'hold', 'hold', 'complete', 'error', 'unsubscribe', 'use another', 'clean up'),
      }),
    },
    { weight: 4, arbitrary: fc.constant({ do: 'acquire' as const }) },
    { weight: 4, arbitrary: asked('release', 'destroy', 'abort') },
    { weight: 6, arbitrary: asked('complete', 'error', 'unsubscribe', 'clean up') },
    {
      weight: 8,
      arbitrary: asked('create', 'refuse', 'destroyed', 'destroy fails', 'valid', 'invalid', 'check fails'),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat({ max: 12 }) }) },
    { weight: 2, arbitrary: fc.constant({ do: 'settle' as const }) },
  ),
  { maxLength: 80, size: 'max' },
);
const ms = fc.constantFrom(5, 20, Infinity);
const modes = fc.array(fc.constantFrom('now' as const, 'held' as const, 'fails' as const), {
  minLength: 1,
  maxLength: 5,
});
const programs = fc.record({
  options: fc
    .record({
      min: fc.nat({ max: 2 }),
      more: fc.nat({ max: 2 }),
      maxWaiting: fc.constantFrom(0, 1, 5, 1000),
      acquireTimeout: ms,
      createTimeout: ms,
      validateTimeout: ms,
      maxIdle: ms,
      maxLifetime: ms,
      cleanupTimeout: fc.constantFrom(7, Infinity),
      order: fc.constantFrom('lifo' as const, 'fifo' as const),
    })
    .map(({ more, ...options }) => ({ ...options, max: Math.max(1, options.min + more) })),
  validates: fc.boolean(),
  creates: modes,
  checks: modes,
  destroys: modes,
  steps,
  /** After how many steps it is drained. */
  drainAfter: fc.nat({ max: 100 }),
});

interface Resource {
  readonly id: number;
}

it(
  'has never more than max, loses no waiter, and destroys each resource once, whatever happens in whatever order',
  async () => {
    await fc.assert(
      fc.asyncProperty(programs, async ({ options, validates, creates, checks, destroys, steps, drainAfter }) => {
        const { max, cleanupTimeout } = options;
        const clock = new Clock();
        const problems: string[] = [];
        const ask = <T>(kind: string, mode: 'now' | 'held' | 'fails' | undefined, value: T, held: Later<T>[]) => {
          if (mode === 'fails') throw new Error(kind);
          if (mode === 'now') return value;
          const later = new Later<T>();
          held.push(later);
          return later;
        };

        // What there is in truth
        let ids = 0;
        const inFlight = new Set<number>();
        const alive = new Set<number>();
        const used = new Set<number>();
        const destroyed: number[] = [];
        const heldCreates: Later<Resource>[] = [];
        const idsOf = new Map<Later<Resource>, number>();
        const heldChecks: Later<boolean>[] = [];
        const heldDestroys: Later<void>[] = [];
        let asks = 0;
        const pool = createPool<Resource>({
          ...options,
          scheduler: clock,
          create: () => {
            const id = ++ids;
            inFlight.add(id);
            if (cleanupTimeout === Infinity && alive.size + inFlight.size > max) problems.push('more than max');
            const mode = creates[asks++ % creates.length];
            const done = () => inFlight.delete(id);
            if (mode !== 'held') done();
            if (mode !== 'fails' && mode !== 'held') alive.add(id);
            const given = ask('create', mode, { id }, heldCreates);
            if (given instanceof Later) {
              idsOf.set(given, id);
              given.then(() => {
                done();
                alive.add(id);
              }, done);
            }
            return given;
          },
          destroy: (resource) => {
            const { id } = resource;
            if (used.has(id) && cleanupTimeout === Infinity)
              problems.push(`${String(id)} was destroyed while it was used`);
            destroyed.push(id);
            const mode = destroys[asks++ % destroys.length];
            const done = () => alive.delete(id);
            if (mode !== 'held') done();
            const given = ask('destroy', mode, undefined, heldDestroys);
            if (given instanceof Later) given.then(done, done);
            return given;
          },
          ...(validates && {
            validate: ({ id }: Resource) => {
              if (used.has(id)) problems.push(`${String(id)} was validated while it was used`);
              return ask('validate', checks[asks++ % checks.length], id % 4 !== 0, heldChecks);
            },
          }),
        });
        const take = ({ id }: Resource) => {
          if (used.has(id)) problems.push(`${String(id)} was given to two`);
          if (destroyed.includes(id)) problems.push(`${String(id)} was given after it was destroyed`);
          used.add(id);
        };

        // Who uses it
        const signal = new CountedSignal();
        const served: Record<'use' | 'acquire', number[]> = { use: [], acquire: [] };
        const controllers: AbortController[] = [];
        const leases: { lease: Lease<Resource>; returned: boolean }[] = [];
        const works: Subscriber<never>[] = [];
        const cleanups: Later<void>[] = [];
        const stops: Subject<void>[] = [];
        const calls: Promise<unknown>[] = [];
        const ends = new Map<number, number>();
        let claims = 0;
        const use = (then: string) => {
          const claim = ++claims;
          ends.set(claim, 0);
          const end = () => ends.set(claim, (ends.get(claim) ?? 0) + 1);
          const stop = new Subject<void>();
          stops.push(stop);
          pool
            .use((resource, context) => {
              take(resource);
              served.use.push(claim);
              if (then === 'use another') use('hold');
              const free = () => used.delete(resource.id);
              if (then === 'unsubscribe') {
                free(); // what it gives is not subscribed to
                stop.next();
              }
              if (then === 'clean up') {
                // A promise that goes on after it was cancelled, and may fail then.
                const later = new Later<void>();
                cleanups.push(later);
                return new Promise<never>((_, reject) => {
                  later.then(
                    () => {
                      free();
                      reject(context.signal.reason as Error);
                    },
                    (error) => {
                      free();
                      reject(error);
                    },
                  );
                });
              }
              return new Observable<never>((subscriber) => {
                subscriber.add(free);
                works.push(subscriber);
                if (then === 'complete') subscriber.complete();
                if (then === 'error') subscriber.error('use');
              });
            })
            .pipe(takeUntil(stop))
            .subscribe({ error: end, complete: end });
        };
        const acquire = () => {
          const claim = ++claims;
          const controller = new AbortController();
          controllers.push(controller);
          const options = claim % 3 === 0 ? { signal: signal.signal } : { signal: controller.signal };
          calls.push(
            pool.acquire(options).then(
              (lease) => {
                take(lease.resource);
                served.acquire.push(claim);
                leases.push({ lease, returned: false });
              },
              () => undefined,
            ),
          );
        };
        const giveBack = (how: 'release' | 'destroy', which: number) => {
          const held = leases[which];
          if (!held) return;
          if (!held.returned) used.delete(held.lease.resource.id);
          held.returned = true;
          held.lease[how]();
        };
        const pick = <T>(all: readonly T[], which: number) => all[which % Math.max(1, all.length)];

        let draining: Promise<unknown> | undefined;
        for (const [i, step] of steps.entries()) {
          if (i === drainAfter) draining = pool.drain().catch((error: unknown) => error);
          if (step.do === 'use') use(step.then);
          else if (step.do === 'acquire') acquire();
          else if (step.do === 'release' || step.do === 'destroy') giveBack(step.do, step.which);
          else if (step.do === 'abort') pick(controllers, step.which)?.abort();
          else if (step.do === 'unsubscribe') pick(stops, step.which)?.next();
          else if (step.do === 'complete') pick(works, step.which)?.complete();
          else if (step.do === 'error') pick(works, step.which)?.error('use');
          else if (step.do === 'clean up') {
            if (step.which % 4 === 0) pick(cleanups, step.which)?.reject('cleanup');
            else pick(cleanups, step.which)?.resolve();
          } else if (step.do === 'create') {
            const create = pick(heldCreates, step.which);
            if (create) create.resolve({ id: idsOf.get(create) ?? 0 });
          } else if (step.do === 'refuse') pick(heldCreates, step.which)?.reject('refused');
          else if (step.do === 'destroyed') pick(heldDestroys, step.which)?.resolve();
          else if (step.do === 'destroy fails') pick(heldDestroys, step.which)?.reject('destroy');
          else if (step.do === 'valid') pick(heldChecks, step.which)?.resolve(true);
          else if (step.do === 'invalid') pick(heldChecks, step.which)?.resolve(false);
          else if (step.do === 'check fails') pick(heldChecks, step.which)?.reject('check');
          else if (step.do === 'advance') clock.advance(step.ms);
          else await settle(5);

          const { size, idle, inUse, creating, validating, destroying, waiting } = pool.statistics();
          if (size > max) problems.push('its size is more than max');
          if (size !== idle + inUse + creating + validating + destroying) problems.push('the counts do not add up');
          if (waiting > 0 && idle > 0 && validating < waiting) problems.push('one waits although one is idle');
          if (waiting > creating + validating && size < max) problems.push('one waits although there is room');
        }

        // The end: all is settled, returned and drained.
        draining ??= pool.drain().catch((error: unknown) => error);
        for (let round = 0; round < 300; round++) {
          await settle(10);
          for (const [i] of leases.entries()) giveBack('release', i);
          for (const work of works.splice(0)) work.complete();
          for (const later of cleanups.splice(0)) later.resolve();
          for (const later of heldCreates.splice(0)) later.reject('over');
          for (const later of heldChecks.splice(0)) later.resolve(true);
          for (const later of heldDestroys.splice(0)) later.resolve();
          const { size, waiting } = pool.statistics();
          if (size + waiting === 0) break;
        }
        await draining;
        await Promise.all(calls);
        unhandled.splice(0); // failing destroys and clean-ups, on purpose

        expect(problems).toEqual([]);
        expect([...alive, ...inFlight]).toEqual([]);
        expect(new Set(destroyed).size).toBe(destroyed.length);
        for (const order of Object.values(served)) expect(order).toEqual([...order].sort((a, b) => a - b));
        for (const count of ends.values()) expect(count).toBeLessThanOrEqual(1);
        expect(pool.statistics()).toMatchObject({ size: 0, waiting: 0 });
        expect([clock.actions.length, signal.listeners]).toEqual([0, 0]);
        await new Promise((resolve) => setTimeout(resolve)); // what is reported
        unhandled.splice(0);
      }),
      { numRuns: 300 * times },
    );
  },
  40_000 * times,
);
