import type { ServedRequest } from './served-request';
import { LastSecond, sumOf, summaryOf } from './summary';

const request = (id: number, changes: Partial<ServedRequest> = {}): ServedRequest => ({
  id,
  at: id,
  host: 'web-01',
  route: '/',
  status: 200,
  ms: 10,
  bytes: 1000,
  ...changes,
});

describe('summaryOf', () => {
  const requests = [request(1), request(2, { status: 503, ms: 70 }), request(3), request(4, { ms: 2 })];

  it('is the same, however the requests were put together', () => {
    const whole = summaryOf(requests);
    for (let at = 0; at <= requests.length; at++)
      expect(sumOf(summaryOf(requests.slice(0, at)), summaryOf(requests.slice(at)))).toEqual(whole);
    expect(whole).toEqual({ count: 4, failed: 1, slowest: 70, totalMs: 92, bytes: 4000, from: 1, to: 4 });
  });
});

describe('LastSecond', () => {
  const second = Array.from({ length: 11 }, (_, index) => request(index, { at: 1000 + index * 100 }));

  it('counts by the time of the server, whenever it was told', () => {
    const sample = new LastSecond().add(summaryOf(second));
    expect(sample).toMatchObject({ at: 2000, perSecond: 10, meanMs: 10, slowestMs: 10, failedPercent: 0 });
  });

  it('forgets what is older', () => {
    const last = new LastSecond();
    last.add(summaryOf(second));
    expect(last.add(summaryOf([request(1, { at: 9000, ms: 3 })])).slowestMs).toBe(3);
  });
});
