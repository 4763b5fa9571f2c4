import { Component, inject, InjectionToken, signal } from '@angular/core';
import { toObservable, toSignal } from '@angular/core/rxjs-interop';
import { switchMap } from 'rxjs';
import { abortable } from '../../src/index.js';

/** `fetch` or anything else that takes a signal. */
export type Find = (term: string, signal: AbortSignal) => Promise<readonly string[]>;
export const FIND = new InjectionToken<Find>('FIND');

@Component({ selector: 'app-search', template: 'found: {{ found().join(", ") }}' })
export class Search {
  private readonly find = inject(FIND);
  readonly term = signal('');
  readonly found = toSignal(
    toObservable(this.term).pipe(switchMap((term) => abortable((signal) => this.find(term, signal)))),
    { initialValue: [] },
  );
}
