import { from, type ObservableInput, type Subscriber, type Subscription } from 'rxjs';
import type { Cleanups } from '../../link/Cleanups.js';
import type { Gate } from '../../link/protocol.js';
import { pullsInner, subscribeByPull } from '../innerPull.js';
import { isPromise } from '../puller.js';
import type { KeyedSession } from './KeyedSession.js';
import type { Session } from './Session.js';
import { SessionOutput } from './SessionOutput.js';
import type { SessionResults } from './SessionResults.js';
import type { SessionsEnd } from './SessionsEnd.js';

type Output<K, T, R> = SessionOutput<KeyedSession<K, T>, R>;

interface HandlersOwner<K, T, R> {
  readonly destination: Subscriber<R>;
  readonly results: SessionResults<Output<K, T, R>, R>;
  readonly end: SessionsEnd<K, T, R>;
  /** A result has come out. */
  readonly onResult: (session: KeyedSession<K, T>) => void;
  /** The handler has completed. */
  readonly onEnd: (session: KeyedSession<K, T>) => void;
  /** The handler has completed, its results are out, and its clean-ups have settled. */
  readonly onFree: (session: KeyedSession<K, T>) => void;
}

/** The handlers of the sessions, and what they give. */
export class SessionHandlers<K, T, R> {
  readonly destination: Subscriber<R>;
  private readonly outputs = new Map<KeyedSession<K, T>, Output<K, T, R>>();

  constructor(
    private readonly handler: (session: Session<K, T>) => ObservableInput<R>,
    private readonly owner: HandlersOwner<K, T, R>,
  ) {
    this.destination = owner.destination;
  }

  start(session: KeyedSession<K, T>): void {
    const { end } = this.owner;
    try {
      const given = this.handler(session);
      const output: Output<K, T, R> = new SessionOutput(this, session);
      if (end.closed) output.unsubscribe();
      else this.outputs.set(session, output);
      this.connect(given, session, output.asSubscriber());
    } catch (thrown) {
      session.inner.end();
      end.onThrow(thrown);
    }
  }

  /** Adds what is to be torn down. */
  addTo(teardown: Subscription): void {
    for (const output of this.outputs.values()) teardown.add(output.asSubscriber());
    teardown.add(() => {
      this.outputs.clear();
    });
  }

  private connect(given: ObservableInput<R>, session: KeyedSession<K, T>, output: Subscriber<R>): void {
    const { drops } = this.owner.end;
    if (isPromise(given)) from(session.follow(given)).subscribe(output);
    else if (!pullsInner(given, !!this.innerGate)) from(given).subscribe(output);
    else {
      subscribeByPull(given, output, (result) => {
        drops.result(result);
      });
    }
  }

  // What outputs report

  get innerGate(): Gate | undefined {
    return this.owner.results.gate;
  }

  expectCleanup(): Cleanups {
    return this.owner.end.works.expectCleanup();
  }

  emit(result: R, output: Output<K, T, R>): void {
    this.owner.onResult(output.session);
    this.owner.results.emit(result, output);
  }

  fail(session: KeyedSession<K, T>, error: unknown): void {
    session.inner.fail();
    this.owner.end.fail(error);
  }

  endHandler(session: KeyedSession<K, T>): void {
    session.inner.end();
    this.owner.onEnd(session);
  }

  free(session: KeyedSession<K, T>): void {
    this.outputs.delete(session);
    this.owner.onFree(session);
  }
}
