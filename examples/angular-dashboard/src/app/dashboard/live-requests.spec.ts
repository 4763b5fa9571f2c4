import { TestBed } from '@angular/core/testing';
import { LiveRequests } from './live-requests';
import type { ServedRequest } from './served-request';

class FakeEventSource {
  static opened: FakeEventSource[] = [];
  onmessage?: (message: { lastEventId: string; data: string }) => void;
  onerror?: () => void;
  closed = false;

  constructor() {
    FakeEventSource.opened.push(this);
  }

  close(): void {
    this.closed = true;
  }

  /** Ten requests, the first of which has this number. */
  send(first: number): void {
    const requests = Array.from({ length: 10 }, (_, index) => ({ id: first + index }));
    this.onmessage?.({ lastEventId: `${String(first)}-${String(first + 9)}`, data: JSON.stringify(requests) });
  }
}

describe('LiveRequests', () => {
  let live: LiveRequests;
  let seen: number[];
  const connection = () => FakeEventSource.opened.at(-1) ?? expect.fail('no connection has been opened');
  const setVisibility = (state: string) => {
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state as DocumentVisibilityState);
    document.dispatchEvent(new Event('visibilitychange'));
  };
  const see = () => live.batches$.subscribe((batch: readonly ServedRequest[]) => seen.push(batch[0]?.id ?? NaN));

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('EventSource', FakeEventSource);
    FakeEventSource.opened = [];
    seen = [];
    live = TestBed.configureTestingModule({ providers: [LiveRequests] }).inject(LiveRequests);
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it('keeps the newest ten messages of a hidden page unparsed, and counts the others as dropped', () => {
    const subscription = see();
    connection().send(1);
    setVisibility('hidden');
    const parse = vi.spyOn(JSON, 'parse');
    for (let first = 11; first <= 141; first += 10) connection().send(first);
    expect(parse).not.toHaveBeenCalled();
    expect(live.counts()).toEqual({ received: 150, shown: 10, dropped: 40, waiting: 100, missed: 0 });
    setVisibility('visible');
    expect(seen).toEqual([1, 51, 61, 71, 81, 91, 101, 111, 121, 131, 141]);
    expect(live.counts()).toEqual({ received: 150, shown: 110, dropped: 40, waiting: 0, missed: 0 });
    subscription.unsubscribe();
  });

  it('comes back when the connection is lost, and counts what it has missed', () => {
    const subscription = see();
    connection().send(1);
    expect(live.connection()).toBe('live');
    connection().onerror?.();
    expect(FakeEventSource.opened.map(({ closed }) => closed)).toEqual([true]);
    expect(live.connection()).toEqual({ attempt: 1 });
    vi.advanceTimersByTime(250);
    connection().send(101);
    expect(live.connection()).toBe('live');
    expect(live.reconnected()).toBe(1);
    expect(live.counts()).toMatchObject({ received: 20, missed: 90 });
    subscription.unsubscribe();
  });

  it('has one connection for all views, closed with the last', () => {
    const subscriptions = [see(), see()];
    expect(FakeEventSource.opened).toHaveLength(1);
    for (const subscription of subscriptions) subscription.unsubscribe();
    expect(connection().closed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
