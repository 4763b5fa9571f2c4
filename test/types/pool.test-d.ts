// Checked by `npm run typecheck`.
import { of, type Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import type { Lease, Pool } from '../../src/internal/pool/Pool.js';
import { usePool } from '../../src/operators/usePool.js';
import { createPool } from '../../src/resources/createPool.js';

describe('createPool', () => {
  it('is a pool of what create gives or promises', () => {
    expectTypeOf(createPool({ create: () => 1 })).toEqualTypeOf<Pool<number>>();
    const pool = createPool({ create: async () => 'a', destroy: (resource) => resource.toUpperCase() });
    expectTypeOf(pool).toEqualTypeOf<Pool<string>>();
    expectTypeOf(pool.use((resource) => of(resource.length))).toEqualTypeOf<Observable<number>>();
    expectTypeOf(pool.use(async (resource, { signal }) => [resource, signal] as const)).toEqualTypeOf<
      Observable<readonly [string, AbortSignal]>
    >();
    expectTypeOf(pool.acquire()).toEqualTypeOf<Promise<Lease<string>>>();
    expectTypeOf(pool.drain()).toEqualTypeOf<Promise<void>>();
  });

  it('refuses what it does not take', () => {
    // @ts-expect-error create is missing
    createPool({ max: 1 });
    // @ts-expect-error not an order
    createPool({ create: () => 1, order: 'random' });
  });
});

describe('usePool', () => {
  it('emits what project gives', () => {
    const pool = createPool({ create: () => 1 });
    const result = of('a').pipe(usePool(pool, (value, resource) => of(value.length + resource)));
    expectTypeOf(result).toEqualTypeOf<Observable<number>>();
    void of('a').pipe(
      usePool(pool, (value) => [value], {
        onDrop: (value, reason) => {
          expectTypeOf(value).toEqualTypeOf<string>();
          expectTypeOf(reason).toEqualTypeOf<'overflow' | 'error' | 'unsubscribe'>();
        },
      }),
    );
  });
});
