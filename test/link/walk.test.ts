import { identity, map, noop, Observable, Subscription, type Observer } from 'rxjs';
import { expect, it } from 'vitest';
import { findCleanupScope, findGate, gatedBy, ungated, type CleanupScope, type Gate } from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { cancellerKey, gateKey, lossCounterKey } from '../../src/link/protocol.js';
import { findCanceller, findLossCounter, leaveParents } from '../../src/link/walk.js';

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
  expect(found).toStrictEqual({ gate: undefined, scope: undefined });
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

it('comes to an end at an observer with fields of its own', () => {
  const { found, source } = probe();
  const observer: Partial<Observer<never>> = { next: noop };
  source.pipe(map(identity)).subscribe(Object.assign(observer, { destination: null, partialObserver: null }));
  expect(found).toStrictEqual({ gate: undefined, scope: undefined });
});

it('finds who asks work to stop, and who counts what is lost', () => {
  const canceller = { onCancel: () => noop };
  const lossCounter = { lost: noop };
  const found: unknown[] = [];
  const observer: Partial<Observer<never>> = { next: noop };
  new Observable<never>((subscriber) => {
    found.push(findCanceller(subscriber), findLossCounter(subscriber));
  })
    .pipe(map(identity))
    .subscribe(Object.assign(observer, { [cancellerKey]: canceller, [lossCounterKey]: lossCounter }));
  expect(found).toEqual([canceller, lossCounter]);
});

it.each([0, 1, 2, 3])('lets a subscription go of %i to which it has been added', (count) => {
  const child = new Subscription();
  const parents = Array.from({ length: count }, () => new Subscription());
  for (const parent of parents) parent.add(child);
  leaveParents(child);
  for (const parent of parents) parent.unsubscribe();
  expect(child.closed).toBe(false);
});
