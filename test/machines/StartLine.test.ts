import fc from 'fast-check';
import { expect, it } from 'vitest';
import { StartLine } from '../../src/machines/StartLine.js';

class Member {
  previous: Member | undefined = undefined;
  following: Member | undefined = undefined;
}

it('starts who comes first, never more than may run, and has room for so many as may wait', () => {
  const steps = fc.array(fc.constantFrom('add', 'add', 'start', 'end', 'leave'), {
    maxLength: 60,
    size: 'max',
  });
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 3, Infinity),
      fc.constantFrom(0, 1, 3, Infinity),
      steps,
      (most, size, program) => {
        const line = new StartLine<Member>(most, size);
        const waiting: Member[] = [];
        let active = 0;
        for (const step of program) {
          expect(line.hasRoom).toBe(waiting.length < size + Math.max(0, most - active));
          if (step === 'add' && line.hasRoom) {
            const member = new Member();
            waiting.push(member);
            line.add(member);
          } else if (step === 'start') {
            const next = active < most ? waiting.shift() : undefined;
            expect(line.startNext()).toBe(next);
            if (next) active++;
            if (next) line.leave(next); // does nothing any more
          } else if (step === 'end' && active > 0) {
            active--;
            line.end();
          } else if (step === 'leave' && waiting.length > 0) {
            line.leave(waiting.splice(waiting.length >> 1, 1)[0] as Member);
          }
          expect(line.waiting).toBe(waiting.length);
        }
      },
    ),
  );
});
