import { hasFailed, type ServedRequest } from './served-request';

/** The newest requests, and the newest of those that have failed; the newest first. */
export interface Tail {
  readonly all: readonly ServedRequest[];
  readonly failed: readonly ServedRequest[];
}

export const noTail: Tail = { all: [], failed: [] };

const rows = 100;

export const addTo = (tail: Tail, batch: readonly ServedRequest[]): Tail => ({
  all: newest(tail.all, batch),
  failed: newest(tail.failed, batch.filter(hasFailed)),
});

const newest = (before: readonly ServedRequest[], batch: readonly ServedRequest[]) =>
  batch.slice(-rows).reverse().concat(before).slice(0, rows);
