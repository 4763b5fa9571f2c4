import { hasFailed, type ServedRequest } from './served-request';

/** Requests, summed up: small, however many they are. */
export interface Summary {
  readonly count: number;
  readonly failed: number;
  readonly slowest: number;
  readonly totalMs: number;
  readonly bytes: number;
  /** When the first and the last of them were served, in ms. */
  readonly from: number;
  readonly to: number;
}

const nothing: Summary = { count: 0, failed: 0, slowest: 0, totalMs: 0, bytes: 0, from: Infinity, to: -Infinity };

export function summaryOf(requests: readonly ServedRequest[]): Summary {
  let { count, failed, slowest, totalMs, bytes, from, to } = nothing;
  for (const request of requests) {
    count++;
    if (hasFailed(request)) failed++;
    slowest = Math.max(slowest, request.ms);
    totalMs += request.ms;
    bytes += request.bytes;
    from = Math.min(from, request.at);
    to = Math.max(to, request.at);
  }
  return { count, failed, slowest, totalMs, bytes, from, to };
}

export function sumOf(one: Summary, other: Summary): Summary {
  return {
    count: one.count + other.count,
    failed: one.failed + other.failed,
    slowest: Math.max(one.slowest, other.slowest),
    totalMs: one.totalMs + other.totalMs,
    bytes: one.bytes + other.bytes,
    from: Math.min(one.from, other.from),
    to: Math.max(one.to, other.to),
  };
}

/** What the gauges show. */
export interface Sample {
  /** In ms. */
  readonly at: number;
  readonly perSecond: number;
  readonly meanMs: number;
  readonly slowestMs: number;
  readonly failedPercent: number;
  readonly megabytesPerSecond: number;
}

export const noSample: Sample = {
  at: 0,
  perSecond: 0,
  meanMs: 0,
  slowestMs: 0,
  failedPercent: 0,
  megabytesPerSecond: 0,
};

/** The last second, by the clock of the server: what came late or all at once counts for when it was served. */
export class LastSecond {
  private parts: readonly Summary[] = [];

  add(part: Summary): Sample {
    const isRecent = ({ to }: Summary) => to > part.to - 1000 && to <= part.to;
    this.parts = [...this.parts.filter(isRecent), part];
    const { count, failed, slowest, totalMs, bytes, from, to } = this.parts.reduce(sumOf, nothing);
    const seconds = Math.max(to - from, 1) / 1000;
    return {
      at: to,
      perSecond: (count - 1) / seconds, // so many are the steps between them
      meanMs: totalMs / Math.max(count, 1),
      slowestMs: slowest,
      failedPercent: (100 * failed) / Math.max(count, 1),
      megabytesPerSecond: bytes / seconds / 1e6,
    };
  }
}
