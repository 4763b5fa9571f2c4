import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { Subject } from 'rxjs';
import { DetailRequests, mostQueued } from './detail-requests';
import { LiveRequests } from './live-requests';
import type { ServedRequest } from './served-request';

describe('DetailRequests', () => {
  let details: DetailRequests;
  let http: HttpTestingController;
  const batches$ = new Subject<readonly Pick<ServedRequest, 'id' | 'status'>[]>();
  const fail = (...ids: number[]) => {
    batches$.next(ids.map((id) => ({ id, status: 503 })));
  };
  const asked = () => http.match(() => true);
  const paint = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

  beforeEach(() => {
    const bed = TestBed.configureTestingModule({
      providers: [provideHttpClientTesting(), { provide: LiveRequests, useValue: { batches$ } }, DetailRequests],
    });
    details = bed.inject(DetailRequests);
    http = bed.inject(HttpTestingController);
    TestBed.tick();
  });

  it('asks for as many at a time as the slider says', () => {
    details.concurrent.set(2);
    TestBed.tick();
    fail(1, 2, 3);
    const running = asked();
    expect(running.map(({ request }) => request.url)).toEqual(['detail/1', 'detail/2']);
    running[0]?.flush({ id: 1, cause: 'test' });
    expect(asked().map(({ request }) => request.url)).toEqual(['detail/3']);
  });

  it('asks for none while paused, and for all afterwards', async () => {
    details.paused.set(true);
    TestBed.tick();
    fail(1, 2, 3);
    expect(asked()).toEqual([]);
    await paint();
    expect(details.state()).toMatchObject({ asked: 3, queued: 3, running: 0 });
    details.paused.set(false);
    TestBed.tick();
    for (const request of asked()) request.flush({ id: 0, cause: 'test' });
    await paint();
    expect(details.state()).toMatchObject({ asked: 3, queued: 0, running: 0, done: 3 });
  });

  it('drops the oldest when too many wait, and counts it', async () => {
    details.paused.set(true);
    TestBed.tick();
    fail(...Array.from({ length: mostQueued + 2 }, (_, id) => id));
    await paint();
    expect(details.state()).toMatchObject({ asked: mostQueued + 2, queued: mostQueued, dropped: 2 });
    details.paused.set(false);
    TestBed.tick();
    expect(asked()[0]?.request.url).toBe('detail/2');
  });

  it('stops what runs when it is destroyed', () => {
    fail(1);
    const [running] = asked();
    TestBed.resetTestingModule();
    expect(running?.cancelled).toBe(true);
    expect(batches$.observed).toBe(false);
  });
});
