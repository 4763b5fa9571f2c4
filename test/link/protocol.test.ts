import { expect, it } from 'vitest';
import { cancellerKey, cleanupScopeKey, gateKey, lossCounterKey } from '../../src/link/protocol.js';

it('has the same keys in each version, so that two of them find each other', () => {
  expect([gateKey, cleanupScopeKey, cancellerKey, lossCounterKey].map((key) => Symbol.keyFor(key))).toEqual([
    'rxjs-flow-control.gate',
    'rxjs-flow-control.cleanup-scope',
    'rxjs-flow-control.canceller',
    'rxjs-flow-control.loss-counter',
  ]);
});
