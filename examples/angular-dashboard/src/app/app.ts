import { Component, signal } from '@angular/core';
import { Dashboard } from './dashboard/dashboard';

@Component({
  selector: 'app-root',
  imports: [Dashboard],
  template: `
    <header>
      <h1>Live requests</h1>
      <button type="button" data-testid="toggle" (click)="open.set(!open())">
        {{ open() ? 'Close the dashboard' : 'Open the dashboard' }}
      </button>
    </header>
    <main>
      @if (open()) {
        <app-dashboard />
      } @else {
        <p>Closed: no connection is open and nothing runs.</p>
      }
    </main>
  `,
  styles: `
    header {
      display: flex;
      flex-wrap: wrap;
      gap: 0.5rem;
      align-items: center;
      justify-content: space-between;
      padding: 0.8rem 1.2rem 0.2rem;
    }

    h1 {
      margin: 0;
      font-size: 1.35rem;
    }

    main {
      padding: 0.4rem 1.2rem 1.2rem;
    }
  `,
})
export class App {
  protected readonly open = signal(true);
}
