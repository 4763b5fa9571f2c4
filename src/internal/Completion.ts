interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The promise of a clean-up that calls back at once when it is settled, and not a microtask later: so that who waits for
 * it goes on in the same frame of virtual time.
 */
export class Completion implements PromiseLike<undefined> {
  private waiters: Waiter[] | undefined = [];
  private failure: { readonly error: unknown } | undefined;

  /** Only the first of `resolve` and `reject` counts. */
  readonly resolve = (): void => {
    this.settle();
  };

  readonly reject = (error: unknown): void => {
    this.settle({ error });
  };

  then<A = undefined, B = never>(
    onFulfilled?: ((value: undefined) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return new Promise((resolve, reject) => {
      const attempt = (step: () => A | B | PromiseLike<A | B>) => {
        try {
          resolve(step());
        } catch (thrown) {
          reject(thrown);
        }
      };
      this.tell({
        resolve: () => {
          if (onFulfilled) attempt(() => onFulfilled(undefined));
          else resolve(undefined as A);
        },
        reject: (error) => {
          if (onRejected) attempt(() => onRejected(error));
          else reject(error);
        },
      });
    });
  }

  private settle(failure?: { readonly error: unknown }): void {
    const { waiters } = this;
    if (!waiters) return;
    this.waiters = undefined;
    this.failure = failure;
    for (const waiter of waiters) this.tell(waiter);
  }

  private tell(waiter: Waiter): void {
    if (this.waiters) this.waiters.push(waiter);
    else if (this.failure) waiter.reject(this.failure.error);
    else waiter.resolve();
  }
}
