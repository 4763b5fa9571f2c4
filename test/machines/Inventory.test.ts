import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Claim } from '../../src/machines/ClaimLine.js';
import { Inventory, type InventoryRules } from '../../src/machines/Inventory.js';
import type { Place } from '../../src/machines/Place.js';

class Waiter implements Claim<Waiter> {
  previous: Waiter | undefined = undefined;
  following: Waiter | undefined = undefined;
  deadline = Infinity;
  constructor(readonly id: number) {}
}

const lasts = { creating: 30, abandoned: 5, idle: Infinity, checking: 10, used: Infinity, destroying: 5 };
const rules: InventoryRules = {
  min: 0,
  max: 2,
  maxWaiting: 1,
  order: 'lifo',
  checks: false,
  acquireTimeout: 20,
  lasts,
};
let now = 0;
const inventory = (changes: Partial<InventoryRules> = {}) => {
  now = 0;
  return new Inventory<string, Waiter>({ ...rules, ...changes }, () => now);
};

describe('Inventory', () => {
  it('wants nothing while nobody waits', () => {
    expect(inventory().next()).toBeUndefined();
    expect(inventory().take()).toBeUndefined();
    expect(inventory().nextDue).toBe(Infinity);
  });

  it('wants as many created as wait, and as there is room for', () => {
    const stock = inventory({ maxWaiting: 5 });
    for (let id = 0; id < 3; id++) stock.join(new Waiter(id));
    expect([stock.next()?.state, stock.next()?.state, stock.next()]).toEqual(['creating', 'creating', undefined]);
    expect([stock.size, stock.isShort]).toEqual([2, true]);
  });

  it('accepts as many as will be served by what is on its way, and maxWaiting more', () => {
    const stock = inventory();
    const accepted = Array.from({ length: 5 }, (_, id) => {
      const accepts = stock.accepts;
      if (accepts) stock.join(new Waiter(id));
      stock.next();
      return accepts;
    });
    expect(accepted).toEqual([true, true, true, false, false]);
  });

  it('knows when the next thing is due, and forgets what is no longer so', () => {
    const stock = inventory({ lasts: { ...lasts, idle: 100 } });
    const waiter = new Waiter(0);
    now = 1;
    stock.join(waiter);
    const place = stock.next() as Place<string>;
    expect(stock.nextDue).toBe(21);
    stock.claims.remove(waiter);
    stock.claims.remove(waiter);
    expect([stock.nextDue, stock.claims.size]).toEqual([31, 0]);
    now = 3;
    stock.move(place, 'idle');
    expect(stock.nextDue).toBe(103);
    stock.take();
    expect(stock.nextDue).toBe(Infinity);
  });

  it('gives up what nobody waits for, once it is closed', () => {
    const stock = inventory();
    const waiters = [new Waiter(0), new Waiter(1)];
    for (const waiter of waiters) stock.join(waiter);
    const [first, second] = [stock.next(), stock.next()] as [Place<string>, Place<string>];
    stock.move(first, 'idle');
    stock.closed = true;
    expect([stock.take(), stock.next(), stock.isDone]).toEqual([undefined, first, false]);
    expect(first.state).toBe('used');
    for (const waiter of waiters) stock.claims.remove(waiter);
    expect([stock.next(), stock.next()]).toEqual([second, undefined]);
    expect(second.state).toBe('abandoned');
    stock.move(second, 'gone');
    stock.move(first, 'idle');
    expect([stock.next()?.state, stock.isDone]).toEqual(['destroying', false]);
    stock.move(first, 'gone');
    expect(stock.isDone).toBe(true);
  });

  it('creates min, but not again unasked when that has failed', () => {
    const stock = inventory({ min: 2 });
    const [first, second] = [stock.next(), stock.next()] as [Place<string>, Place<string>];
    stock.failToCreate(first);
    expect(stock.next()).toBeUndefined();
    stock.move(second, 'idle');
    stock.join(new Waiter(0));
    expect([stock.next()?.state, stock.next()?.state]).toEqual(['used', 'creating']);
  });

  it('knows what is due while as many are created as are checked', () => {
    const stock = inventory({ checks: true, acquireTimeout: Infinity });
    const waiters = [new Waiter(0), new Waiter(1)];
    stock.join(waiters[0] as Waiter);
    stock.move(stock.next() as Place<string>, 'idle');
    stock.join(waiters[1] as Waiter);
    expect([stock.next()?.state, stock.next()?.state, stock.nextDue]).toEqual(['checking', 'creating', 10]);
  });

  it('knows what is due while something else is created', () => {
    const stock = inventory({ min: 2, lasts: { ...lasts, idle: 100 } });
    const [first, second] = [stock.next(), stock.next()] as [Place<string>, Place<string>];
    first.expiresAt = 25;
    stock.move(first, 'idle');
    stock.failToCreate(second);
    const waiter = new Waiter(0);
    stock.join(waiter);
    stock.claims.remove(waiter);
    expect([stock.next()?.state, stock.nextDue]).toEqual(['creating', 25]);
  });

  it('gives up no more of those that are idle than are too many, the longest idle first', () => {
    const stock = inventory({ min: 1, max: 3, maxWaiting: 3, lasts: { ...lasts, idle: 100 } });
    const waiters = [0, 1, 2].map((id) => new Waiter(id));
    for (const waiter of waiters) stock.join(waiter);
    const places = waiters.map(() => stock.next() as Place<string>);
    for (const waiter of waiters) stock.claims.remove(waiter);
    for (const place of places) stock.move(place, 'idle');
    now = 100;
    expect(stock.expire().map(({ place }) => place)).toEqual(places.slice(0, 2));
  });

  it('does not ask for the time where nothing can be due', () => {
    const never = { creating: Infinity, abandoned: Infinity, idle: Infinity, checking: Infinity, used: Infinity, destroying: Infinity }; // prettier-ignore
    const stock = new Inventory<string, Waiter>({ ...rules, acquireTimeout: Infinity, lasts: never }, () => {
      throw new Error('asked');
    });
    const waiter = new Waiter(0);
    stock.join(waiter);
    const place = stock.next() as Place<string>;
    expect(stock.hasLate).toBe(false);
    stock.claims.remove(waiter);
    stock.move(place, 'idle');
    expect([stock.take()?.state, stock.nextDue, stock.hasLate]).toEqual(['used', Infinity, false]);
  });
});

// A plain model: everything in arrays, everything searched.

interface ModelPlace {
  readonly place: Place<string>;
  state: string;
  since: number;
  /** When it was returned, in turn. */
  turn: number;
}

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant({ do: 'join' as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.constant({ do: 'shift' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'take' as const }) },
    { weight: 4, arbitrary: fc.constant({ do: 'next' as const }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('move' as const), which: fc.nat(3), to: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(8) }) },
    { weight: 1, arbitrary: fc.constant({ do: 'close' as const }) },
  ),
  { maxLength: 60, size: 'max' },
);
const follows: Readonly<Record<string, readonly ('idle' | 'used' | 'destroying' | 'gone')[]>> = {
  creating: ['idle', 'used', 'gone'],
  abandoned: ['destroying', 'gone'],
  checking: ['idle', 'used', 'destroying'],
  used: ['idle', 'destroying'],
  destroying: ['gone'],
};
const time = fc.constantFrom(3, 9, Infinity);

it('does what a plain model of it does', () => {
  fc.assert(
    fc.property(
      fc.record({
        min: fc.nat(2),
        more: fc.nat(2),
        maxWaiting: fc.nat(3),
        order: fc.constantFrom('lifo' as const, 'fifo' as const),
        checks: fc.boolean(),
        acquireTimeout: time,
        idle: time,
        lifetime: time,
        busy: time,
      }),
      steps,
      ({ min, more, maxWaiting, order, checks, acquireTimeout, idle, lifetime, busy }, steps) => {
        const max = Math.max(1, min + more);
        const lasts = { creating: busy, abandoned: 4, idle, checking: busy, used: Infinity, destroying: 4 };
        const stock = inventory({ min, max, maxWaiting, order, checks, acquireTimeout, lasts });
        let ids = 0;
        let turns = 0;
        let closed = false;
        let fills = true;
        let claims: { waiter: Waiter; until: number }[] = [];
        let places: ModelPlace[] = [];

        const of = (...states: string[]) => places.filter(({ state }) => states.includes(state));
        const alive = () => places.length - of('abandoned', 'destroying').length;
        const change = (model: ModelPlace, state: string) => {
          model.state = state;
          model.since = now;
          if (state === 'idle') model.turn = ++turns;
          if (state === 'gone') places = places.filter((each) => each !== model);
        };
        const chosen = () => {
          const sorted = of('idle').sort((a, b) => a.turn - b.turn);
          return (order === 'lifo' ? sorted.at(-1) : sorted[0]) as ModelPlace;
        };
        const expectNext = () => {
          if (of('idle').length > 0 && claims.length > of('checking').length) {
            const model = chosen();
            change(model, checks ? 'checking' : 'used');
            return model;
          }
          if (closed && claims.length === 0) {
            const model = of('idle', 'creating')[0];
            if (model) change(model, model.state === 'idle' ? 'destroying' : 'abandoned');
            return model;
          }
          const isShort = of('creating', 'checking').length < claims.length;
          return places.length < max && (isShort || (!closed && fills && alive() < min)) ? 'new' : undefined;
        };

        for (const step of steps) {
          if (step.do === 'join') {
            const room = of('creating', 'checking', 'idle').length + (max - places.length);
            expect(stock.accepts).toBe(claims.length < room + maxWaiting);
            if (!stock.accepts || closed) continue;
            const waiter = new Waiter(++ids);
            claims.push({ waiter, until: now + acquireTimeout });
            stock.join(waiter);
            fills = true;
          } else if (step.do === 'leave') {
            const claim = claims[step.which];
            claims = claims.filter((each) => each !== claim);
            if (claim) stock.claims.remove(claim.waiter);
          } else if (step.do === 'shift') expect(stock.claims.shift()).toBe(claims.shift()?.waiter);
          else if (step.do === 'take') {
            const free = of('idle').length > 0 && claims.length === 0 && !checks && !closed;
            const model = free ? chosen() : undefined;
            expect(stock.take()).toBe(model?.place);
            if (model) change(model, 'used');
          } else if (step.do === 'next') {
            const expected = expectNext();
            const place = stock.next();
            if (expected === 'new') {
              expect(place?.state).toBe('creating');
              if (place) places.push({ place, state: 'creating', since: now, turn: 0 });
            } else {
              expect(place).toBe(expected?.place);
              expect(place?.state).toBe(expected?.state);
            }
          } else if (step.do === 'move') {
            const model = places[step.which];
            const ways = follows[model?.state ?? ''] ?? [];
            const to = ways[step.to % Math.max(1, ways.length)];
            if (!model || !to) continue;
            if (model.state === 'creating') model.place.expiresAt = now + lifetime;
            if (model.state === 'creating' && to === 'gone') {
              stock.failToCreate(model.place);
              fills = false;
            } else stock.move(model.place, to);
            change(model, to);
          } else if (step.do === 'close') stock.closed = closed = true;
          else {
            now += step.ms;
            const late = claims.filter(({ until }) => until <= now);
            const isStale = ({ state, since, place }: ModelPlace) =>
              state === 'idle' ? place.expiresAt <= now : since + lasts[state as keyof typeof lasts] <= now;
            const over = places.filter(isStale);
            const isDue = over.length + late.length > 0;
            let spare = alive() - min;
            for (const model of of('idle').sort((a, b) => a.turn - b.turn)) {
              if (over.includes(model)) spare--;
              else if (spare > 0 && model.since + idle <= now) {
                over.push(model);
                spare--;
              }
            }
            // What has become too much only because others have come may stay for a while.
            if (isDue) expect(stock.nextDue).toBeLessThanOrEqual(now);
            const expired = stock.expire();
            expect(new Set(expired.map(({ place }) => place))).toEqual(new Set(over.map(({ place }) => place)));
            for (const { place, was } of expired) {
              const model = over.find((each) => each.place === place) as ModelPlace;
              expect(was).toBe(model.state);
              change(
                model,
                { creating: 'abandoned', idle: 'destroying', checking: 'destroying' }[was as 'idle'] ?? 'gone',
              );
              expect(place.state).toBe(model.state);
            }
            for (const { waiter } of late) {
              expect(stock.hasLate).toBe(true);
              expect(stock.claims.shift()).toBe(waiter);
            }
            expect(stock.hasLate).toBe(false);
            claims = claims.filter((claim) => !late.includes(claim));
          }
          expect([stock.size, stock.claims.size]).toEqual([places.length, claims.length]);
          for (const state of ['creating', 'abandoned', 'idle', 'checking', 'used', 'destroying', 'gone'] as const)
            expect(stock.counts[state]).toBe(of(state).length);
          expect(stock.size).toBeLessThanOrEqual(max);
          expect(stock.isDone).toBe(closed && places.length + claims.length === 0);
        }
      },
    ),
    { numRuns: 500 },
  );
});
