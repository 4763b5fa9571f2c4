import { Observable, Subject, takeUntil } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bufferedMergeMap } from '../../src/operators/bufferedMergeMap.js';
import { gracefulShutdown } from '../../src/operators/gracefulShutdown.js';
import { createShutdown } from '../../src/resources/createShutdown.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { stopWhenDestroyed, type Destroyable } from './stopWhenDestroyed.js';

/** Angular's `DestroyRef`: who is told is told at once, in order, and nobody is waited for. */
class ComponentRef implements Destroyable {
  readonly callbacks = new Set<() => void>();

  onDestroy(callback: () => void): () => void {
    this.callbacks.add(callback);
    return () => this.callbacks.delete(callback);
  }

  destroy(): void {
    for (const callback of [...this.callbacks]) {
      this.callbacks.delete(callback);
      callback();
    }
  }
}

/** As Angular's `takeUntilDestroyed`. */
const takeUntilDestroyed = <T>(component: Destroyable) =>
  takeUntil<T>(
    new Observable<void>((subscriber) =>
      component.onDestroy(() => {
        subscriber.next();
      }),
    ),
  );

/** Saves what is typed, one after the other. */
function saves() {
  const saved: string[] = [];
  const begun: { text: string; signal: AbortSignal; finish: () => void }[] = [];
  const save = bufferedMergeMap(
    async (text: string, _, { signal }) => {
      const work = deferred();
      begun.push({ text, signal, finish: work.resolve });
      await work.promise;
      saved.push(text);
      return text;
    },
    { concurrent: 1 },
  );
  return { saved, begun, save };
}

describe('a component that is destroyed', () => {
  it('saves what has been typed, after it is gone', async () => {
    const [component, typed, { saved, begun, save }] = [new ComponentRef(), new Subject<string>(), saves()];
    const shutdown = stopWhenDestroyed(createShutdown(), component);
    const { log } = record(typed.pipe(gracefulShutdown((text$) => text$.pipe(save), { on: shutdown })));
    typed.next('a');
    typed.next('b');

    component.destroy();
    expect(saved, 'it was destroyed at once').toEqual([]);
    expect(typed.observed, 'it takes no more').toBe(false);
    expect(begun[0]?.signal.aborted).toBe(false);
    begun[0]?.finish();
    await settle();
    begun[1]?.finish();
    expect(await shutdown.done).toMatchObject({ reason: 'destroyed', clean: true, aborted: 0, dropped: 0 });
    expect(saved).toEqual(['a', 'b']);
    expect(log).toEqual(['a', 'b', 'complete']);
  });

  it('cuts it off with takeUntilDestroyed, and nobody waits for what that leads to', async () => {
    const [component, typed, { saved, begun, save }] = [new ComponentRef(), new Subject<string>(), saves()];
    const { log } = record(typed.pipe(save, takeUntilDestroyed(component)));
    typed.next('a');
    typed.next('b');
    expect(begun[0]?.signal.aborted).toBe(false);

    component.destroy();
    expect(begun[0]?.signal.aborted).toBe(true);
    begun[0]?.finish();
    await settle();
    expect(log).toEqual(['complete']);
    expect(saved).not.toContain('b');
  });

  it('leaves no callback behind where it was stopped before', async () => {
    const component = new ComponentRef();
    await stopWhenDestroyed(createShutdown(), component).stop();
    expect(component.callbacks.size).toBe(0);
  });
});
