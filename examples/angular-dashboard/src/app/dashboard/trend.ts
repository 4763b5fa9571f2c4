import { afterRenderEffect, Component, DestroyRef, inject, input, viewChild, type ElementRef } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { Chart, LinearScale, LineController, LineElement, PointElement } from 'chart.js';
import { fromEvent } from 'rxjs';
import type { Sample } from './summary';

Chart.register(LineController, LineElement, PointElement, LinearScale);

/** One line: what it shows of a sample, and its colour. */
export interface TrendLine {
  readonly name: string;
  readonly colour: '--accent' | '--second';
  readonly of: (sample: Sample) => number;
}

const seconds = 30;

@Component({
  selector: 'app-trend',
  template: `
    <h2>
      {{ label() }}
      @for (line of lines(); track line.name) {
        <span class="key" [style.color]="'var(' + line.colour + ')'">{{ line.name }}</span>
      }
    </h2>
    <div><canvas #canvas role="img" [attr.aria-label]="label() + ', the last 30 seconds'"></canvas></div>
  `,
  styles: `
    :host {
      display: block;
      padding: 0.7rem 0.9rem;
      border: 1px solid var(--line);
      border-radius: 8px;
      background: var(--panel);
      contain: content;
    }

    h2 {
      margin: 0 0 0.3rem;
      font-size: 0.95rem;
    }

    .key {
      margin-left: 0.8rem;
      font-weight: 500;
    }

    div {
      position: relative;
      height: 150px;
    }
  `,
})
export class Trend {
  readonly label = input.required<string>();
  readonly lines = input.required<readonly TrendLine[]>();
  readonly samples = input.required<readonly Sample[]>();

  private readonly canvas = viewChild.required<ElementRef<HTMLCanvasElement>>('canvas');
  private chart: Chart<'line'> | undefined;
  /** Says that light has become dark, or dark light. */
  private readonly scheme = toSignal(fromEvent(matchMedia('(prefers-color-scheme: dark)'), 'change'));
  private coloured: Event | undefined;

  constructor() {
    // Samples come once a frame at most, and so are drawn once a frame at most.
    afterRenderEffect({
      write: () => {
        const samples = this.samples();
        const scheme = this.scheme();
        const chart = (this.chart ??= this.newChart());
        if (scheme !== this.coloured) this.colour(chart);
        this.coloured = scheme;
        const end = (samples.at(-1)?.at ?? 0) / 1000;
        this.lines().forEach(({ of }, index) => {
          const line = chart.data.datasets[index];
          if (line) line.data = samples.map((sample) => ({ x: sample.at / 1000 - end, y: of(sample) }));
        });
        chart.update('none');
      },
    });
    inject(DestroyRef).onDestroy(() => this.chart?.destroy());
  }

  private newChart(): Chart<'line'> {
    const chart = new Chart(this.canvas().nativeElement, {
      type: 'line',
      data: {
        datasets: this.lines().map(({ name }) => ({
          label: name,
          data: [],
          borderWidth: 1.5,
          pointRadius: 0,
          spanGaps: 1, // no line through the seconds in which nothing came
        })),
      },
      options: {
        animation: false,
        events: [],
        maintainAspectRatio: false,
        normalized: true,
        parsing: false,
        scales: {
          x: {
            type: 'linear',
            min: -seconds,
            max: 0,
            ticks: { callback: (value) => `${String(value)} s`, maxRotation: 0 },
          },
          y: { beginAtZero: true, ticks: { maxTicksLimit: 5 } },
        },
      },
    });
    this.colour(chart);
    return chart;
  }

  /** A canvas does not know the variables of CSS. */
  private colour(chart: Chart<'line'>): void {
    const { canvas } = chart;
    const context = canvas.getContext('2d');
    const colourOf = (variable: string) => {
      canvas.style.color = `var(${variable})`; // resolves light-dark() too
      return getComputedStyle(canvas).color;
    };
    if (!context) return;
    this.lines().forEach(({ colour }, index) => {
      const line = chart.data.datasets[index];
      if (line) line.borderColor = colourOf(colour);
    });
    const [faint, grid] = [colourOf('--faint'), colourOf('--line')];
    for (const scale of Object.values(chart.options.scales ?? {})) {
      if (scale?.ticks) scale.ticks.color = faint;
      if (scale) scale.grid = { color: grid };
    }
  }
}
