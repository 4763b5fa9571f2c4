// Checked by `npm run typecheck`.
import { of, type Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import type { ReleaseOutcome } from '../../src/internal/ResourceUse.js';
import { usingAsync } from '../../src/sources/usingAsync.js';

declare const connect: () => Promise<{ query(): Promise<string> }>;

describe('usingAsync', () => {
  it('knows the resource by what acquire promises, and the values by what use gives', () => {
    const values = usingAsync({
      acquire: connect,
      use: (connection, { signal }) => {
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return connection.query();
      },
      release: (connection, outcome) => {
        expectTypeOf(connection).toEqualTypeOf<{ query(): Promise<string> }>();
        expectTypeOf(outcome).toEqualTypeOf<ReleaseOutcome>();
      },
    });
    expectTypeOf(values).toEqualTypeOf<Observable<string>>();
  });

  it('takes a resource that is there already, and any source', () => {
    expectTypeOf(usingAsync({ acquire: () => 1, use: (n) => [n], release: () => 0 })).toEqualTypeOf<
      Observable<number>
    >();
    const either = usingAsync({
      acquire: () => Math.random(),
      use: (n) => (n > 0 ? of(n) : Promise.resolve('none')),
      release: () => of('released'),
    });
    expectTypeOf(either).toEqualTypeOf<Observable<number | string>>();
  });

  it('can be told both', () => {
    const values = usingAsync<string, number>({ acquire: () => 'a', use: () => [1], release: (text) => text.length });
    expectTypeOf(values).toEqualTypeOf<Observable<number>>();
  });

  it('takes one method for each outcome, and all of them', () => {
    void usingAsync({
      acquire: connect,
      use: () => of(1),
      release: {
        complete: (connection) => connection.query(),
        error: async (connection, error) => {
          expectTypeOf(error).toEqualTypeOf<unknown>();
          await connection.query();
        },
        cancel: () => undefined,
      },
      cleanupTimeout: 100,
      name: 'database',
    });
    void usingAsync({
      acquire: connect,
      use: () => of(1),
      // @ts-expect-error how is it released when it was cancelled?
      release: { complete: () => undefined, error: () => undefined },
    });
  });

  it('tells the outcomes apart', () => {
    void usingAsync({
      acquire: () => 1,
      use: () => of(1),
      release: (_, outcome) => {
        expectTypeOf(outcome.kind).toEqualTypeOf<'complete' | 'error' | 'cancel'>();
        if (outcome.kind === 'error') expectTypeOf(outcome.error).toEqualTypeOf<unknown>();
        else expectTypeOf(outcome).not.toHaveProperty('error');
      },
    });
  });

  it('refuses what is no source, and no release', () => {
    // @ts-expect-error a number is no source
    void usingAsync({ acquire: () => 1, use: () => 1, release: () => 0 });
    // @ts-expect-error for that there is using and defer
    void usingAsync({ acquire: () => 1, use: () => of(1) });
  });
});
