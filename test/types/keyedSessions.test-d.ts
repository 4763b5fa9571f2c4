import { map, of, scan, type Observable, type OperatorFunction } from 'rxjs';
import { expectTypeOf, it } from 'vitest';
import type { Session, SessionCloseReason } from '../../src/internal/sessions/Session.js';
import { keyedSessions, type KeyedSessionsOptions, type MaxSessionsPolicy } from '../../src/operators/keyedSessions.js';

interface Event {
  readonly user: string;
  readonly cents: number;
}
const event$ = of<Event>({ user: 'ann', cents: 5 });

it('keyedSessions finds out the types of value, key and result', () => {
  const sum$ = event$.pipe(
    keyedSessions(
      ({ user }) => user,
      (session) => {
        expectTypeOf(session).toEqualTypeOf<Session<string, Event>>();
        return session.values.pipe(scan((sum, { cents }) => sum + cents, 0));
      },
      {
        onDrop: (value, reason) => {
          expectTypeOf(value).toEqualTypeOf<Event>();
          expectTypeOf(reason).toEqualTypeOf<'overflow' | 'error' | 'unsubscribe' | 'max-sessions'>();
        },
        onDropResult: (result) => {
          expectTypeOf(result).toEqualTypeOf<number>();
        },
        onOpen: (key) => {
          expectTypeOf(key).toEqualTypeOf<string>();
        },
        onClose: (key, reason) => {
          expectTypeOf(key).toEqualTypeOf<string>();
          expectTypeOf(reason).toEqualTypeOf<SessionCloseReason>();
        },
      },
    ),
  );
  expectTypeOf(sum$).toEqualTypeOf<Observable<number>>();
});

it('keyedSessions takes handlers that give any input', () => {
  const promised = event$.pipe(
    keyedSessions(
      ({ cents }) => cents,
      ({ key, signal }) => Promise.resolve([key, signal.aborted] as const),
    ),
  );
  expectTypeOf(promised).toEqualTypeOf<Observable<readonly [number, boolean]>>();
  const listed = event$.pipe(
    keyedSessions(
      ({ user }) => user,
      ({ key }) => [key],
    ),
  );
  expectTypeOf(listed).toEqualTypeOf<Observable<string>>();
  keyedSessions(
    ({ user }: Event) => user,
    // @ts-expect-error a handler gives something
    () => undefined,
  );
});

it('keyedSessions can be made ahead', () => {
  const operator = keyedSessions(
    ({ user }: Event) => user,
    ({ values }) => values.pipe(map(({ cents }) => cents)),
    { idleTimeout: 5, onMaxSessions: 'wait' },
  );
  expectTypeOf(operator).toEqualTypeOf<OperatorFunction<Event, number>>();
  expectTypeOf<KeyedSessionsOptions<Event, string, number>['onMaxSessions']>().toEqualTypeOf<
    MaxSessionsPolicy | undefined
  >();
  keyedSessions(
    ({ user }: Event) => user,
    ({ values }) => values,
    // @ts-expect-error there is no such policy
    { onMaxSessions: 'evict' },
  );
});
