import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Lifetimes, type Birth, type Living } from '../../src/machines/Lifetimes.js';

class Member implements Living {
  previous: Living | undefined = undefined;
  following: Living | undefined = undefined;
  restsSince = 0;
  birth: Birth | undefined = undefined;
  constructor(readonly name: string) {}
}

const steps = fc.array(
  fc.tuple(
    fc.constantFrom('begin', 'rest', 'rest', 'touch', 'work', 'end', 'wait', 'wait', 'due'),
    fc.constantFrom('a', 'b', 'c'),
  ),
  { maxLength: 50, size: 'max' },
);
const limit = fc.constantFrom(0, 1, 3, Infinity);

it('Lifetimes does what a search through all would do', () => {
  fc.assert(
    fc.property(limit, limit, steps, (idleTimeout, maxAge, program) => {
      const lifetimes = new Lifetimes<Member>({ idleTimeout, maxAge });
      const members = new Map<string, Member>();
      const resting = new Map<string, number>();
      const births = new Map<string, number>();
      let now = 0;
      /** Of those, the first that was put in: `Map` keeps that order. */
      const first = (times: ReadonlyMap<string, number>) => [...times][0];
      for (const [step, name] of program) {
        const member = members.get(name);
        if (step === 'wait') now++;
        else if (step === 'begin' && !member) {
          const born = new Member(name);
          members.set(name, born);
          lifetimes.begin(born, now);
          if (maxAge < Infinity) births.set(name, now);
        } else if (step === 'rest' && member) {
          lifetimes.rest(member, now);
          resting.delete(name);
          resting.set(name, now);
        } else if (step === 'touch' && member) {
          lifetimes.touch(member, now);
          if (resting.delete(name)) resting.set(name, now);
        } else if (step === 'work' && member) {
          lifetimes.work(member);
          resting.delete(name);
        } else if (step === 'end' && member) {
          lifetimes.end(member);
          for (const map of [members, resting, births]) map.delete(name);
          expect(member.birth).toBe(undefined);
        } else if (step === 'due') {
          const aged = first(births);
          const isAged = aged !== undefined && aged[1] + maxAge <= now;
          expect(lifetimes.agedAt(now)?.name).toBe(isAged ? aged[0] : undefined);
          if (isAged) births.delete(aged[0]);
        }
        const idlest = first(resting);
        expect(lifetimes.idlest?.name).toBe(idlest?.[0]);
        const isIdle = idlest !== undefined && idlest[1] + idleTimeout <= now;
        expect(lifetimes.idleAt(now)?.name).toBe(isIdle ? idlest[0] : undefined);
        expect(lifetimes.due).toBe(
          Math.min((idlest?.[1] ?? Infinity) + idleTimeout, (first(births)?.[1] ?? Infinity) + maxAge),
        );
      }
    }),
    { numRuns: 1000 },
  );
});

it('who is touched rests from then on, and who works is not made to rest by that', () => {
  const lifetimes = new Lifetimes<Member>({ idleTimeout: 10, maxAge: Infinity });
  const [a, b] = [new Member('a'), new Member('b')];
  lifetimes.rest(a, 0);
  lifetimes.rest(b, 1);
  lifetimes.touch(a, 2);
  expect([lifetimes.idlest, lifetimes.due]).toEqual([b, 11]);
  lifetimes.work(b);
  lifetimes.touch(b, 3);
  expect([lifetimes.idlest, lifetimes.due]).toEqual([a, 12]);
});

it('keeps nothing of births where nobody gets too old', () => {
  const lifetimes = new Lifetimes<Member>({ idleTimeout: 10, maxAge: Infinity });
  const member = new Member('a');
  lifetimes.begin(member, 0);
  expect(member.birth).toBe(undefined);
});
