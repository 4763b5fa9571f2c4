import { DecimalPipe } from '@angular/common';
import { Component, computed, input } from '@angular/core';

@Component({
  selector: 'app-gauge',
  imports: [DecimalPipe],
  host: {
    role: 'meter',
    '[attr.aria-label]': 'label() + ", " + unit()',
    'aria-valuemin': '0',
    '[attr.aria-valuemax]': 'most()',
    '[attr.aria-valuenow]': 'value().toFixed(decimals())',
  },
  template: `
    <span class="label">{{ label() }}</span>
    <span class="value"
      >{{ value() | number: digits() }} <small>{{ unit() }}</small></span
    >
    <span class="bar"><span [style.transform]="length()"></span></span>
  `,
  styles: `
    :host {
      display: grid;
      gap: 0.15rem;
      padding: 0.7rem 0.9rem;
      border: 1px solid var(--line);
      border-radius: 8px;
      background: var(--panel);
      contain: content;
    }

    .label,
    small {
      color: var(--faint);
      font-size: 0.85rem;
    }

    .value {
      font-size: 1.5rem;
      font-weight: 600;
    }

    .bar {
      overflow: hidden;
      height: 6px;
      border-radius: 3px;
      background: var(--line);
    }

    .bar span {
      display: block;
      height: 100%;
      background: var(--accent);
      transform-origin: left;
    }
  `,
})
export class Gauge {
  readonly label = input.required<string>();
  readonly unit = input.required<string>();
  readonly value = input.required<number>();
  readonly most = input.required<number>();
  readonly decimals = input(0);

  protected readonly digits = computed(() => `1.${String(this.decimals())}-${String(this.decimals())}`);
  protected readonly length = computed(() => `scaleX(${Math.min(1, this.value() / this.most()).toFixed(3)})`);
}
