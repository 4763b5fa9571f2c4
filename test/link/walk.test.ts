import { identity, map, noop, Observable, type Observer } from 'rxjs';
import { expect, it } from 'vitest';
import { findCleanupScope, findGate, gatedBy, ungated, type CleanupScope, type Gate } from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { gateKey } from '../../src/link/protocol.js';

const gate = (): Gate => ({ ready: true, onReady: () => noop });

/** What a source finds when it is subscribed, and once it is unsubscribed. */
function probe() {
  const found: { gate?: Gate | undefined; scope?: CleanupScope | undefined; afterwards?: Gate | undefined } = {};
  const source = new Observable<never>((subscriber) => {
    found.gate = findGate(subscriber);
    found.scope = findCleanupScope(subscriber);
    return () => {
      queueMicrotask(() => {
        found.afterwards = findGate(subscriber);
      });
    };
  });
  return { found, source };
}

it('finds the nearest gate', () => {
  const [near, far] = [gate(), gate()];
  const { found, source } = probe();
  source.pipe(map(identity), gatedBy(near), map(identity), gatedBy(far)).subscribe();
  expect(found.gate).toBe(near);
});

it('finds nothing where there is nothing', () => {
  const { found, source } = probe();
  source.pipe(map(identity)).subscribe();
  expect(found).toEqual({ gate: undefined, scope: undefined });
});

it('finds no gate below ungated(), but the scope', () => {
  const { found, source } = probe();
  const scope: CleanupScope = { track: noop };
  source.pipe(map(identity), ungated()).subscribe(operate({ gate: gate(), cleanupScope: scope, next: noop }));
  expect(found).toEqual({ gate: undefined, scope });
});

it('finds a gate above ungated()', () => {
  const near = gate();
  const { found, source } = probe();
  source.pipe(gatedBy(near), ungated()).subscribe();
  expect(found.gate).toBe(near);
});

it('finds nothing once it is unsubscribed', async () => {
  const { found, source } = probe();
  source.pipe(map(identity), gatedBy(gate())).subscribe().unsubscribe();
  await Promise.resolve();
  expect(found.gate).toBeDefined();
  expect(found.afterwards).toBeUndefined();
});

it('finds a gate on an observer that is no Subscriber, as that of another RxJS', () => {
  const near = gate();
  const { found, source } = probe();
  const observer: Partial<Observer<never>> = { next: noop };
  source.pipe(map(identity)).subscribe(Object.assign(observer, { [gateKey]: near }));
  expect(found.gate).toBe(near);
});
