import { DecimalPipe } from '@angular/common';
import { Component, computed, inject, signal } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { map, mergeAll, scan } from 'rxjs';
import { batchWithin, conflate, latest } from 'rxjs-flow-control';
import { DetailRequests, mostQueued } from './detail-requests';
import { Gauge } from './gauge';
import { LiveRequests } from './live-requests';
import { paintPace } from './paint-pace';
import { LastSecond, noSample, sumOf, summaryOf, type Sample } from './summary';
import { addTo, noTail } from './tail';
import { Trend, type TrendLine } from './trend';

/** What the gauges and charts show, painted together. */
interface View {
  readonly sample: Sample;
  readonly samples: readonly Sample[];
}

const noView: View = { sample: noSample, samples: [] };

const shown = 30_000;

const addSample = ({ samples }: View, sample: Sample): View => ({
  sample,
  samples: [...samples.filter(({ at }) => at > sample.at - shown && at < sample.at), sample],
});

@Component({
  selector: 'app-dashboard',
  imports: [DecimalPipe, Gauge, Trend],
  providers: [LiveRequests, DetailRequests], // they come and go with the dashboard
  templateUrl: './dashboard.html',
  styleUrl: './dashboard.css',
})
export class Dashboard {
  private readonly live = inject(LiveRequests);
  protected readonly details = inject(DetailRequests);
  private readonly lastSecond = new LastSecond();

  /** Ten times a second: an eye does not read numbers faster. */
  protected readonly view = toSignal(
    this.live.batches$.pipe(
      conflate(summaryOf, (waiting, batch) => sumOf(waiting, summaryOf(batch))),
      paintPace(90),
      map((summary) => this.lastSecond.add(summary)),
      scan(addSample, noView),
    ),
    { initialValue: noView },
  );

  /** Four times a second: it would scroll faster than anybody reads. */
  private readonly tail = toSignal(
    this.live.batches$.pipe(
      mergeAll(),
      batchWithin({ time: 250, size: 5000 }),
      scan(addTo, noTail),
      latest(),
      paintPace(),
    ),
    { initialValue: noTail },
  );
  protected readonly onlyFailed = signal(false);
  protected readonly rows = computed(() => (this.onlyFailed() ? this.tail().failed : this.tail().all));

  protected readonly counts = computed(() => {
    this.view(); // counted when the gauges are painted, so that the numbers fit
    return this.live.counts();
  });
  protected readonly reconnected = this.live.reconnected;
  protected readonly connection = computed(() => {
    const connection = this.live.connection();
    if (connection === 'live') return 'Live';
    return connection === 'connecting' ? 'Connecting' : `Connection lost, attempt ${String(connection.attempt)}`;
  });

  protected readonly mostQueued = mostQueued;
  protected readonly load: readonly TrendLine[] = [
    { name: 'all', colour: '--accent', of: (sample) => sample.perSecond },
  ];
  protected readonly times: readonly TrendLine[] = [
    { name: 'mean', colour: '--accent', of: (sample) => sample.meanMs },
    { name: 'slowest', colour: '--second', of: (sample) => sample.slowestMs },
  ];
}
