import { runCleanup } from '../runCleanup.js';

export interface Failure {
  readonly error: unknown;
}

/** Calls back once, when what `run` has started is over: at once, if it is over at once. */
export function runUntilOver(run: () => unknown, onOver: (failure?: Failure) => void): void {
  let over = false; // a promise that is not the platform's may call back twice
  const end = (failure?: Failure) => {
    if (over) return;
    over = true;
    onOver(failure);
  };
  const running = runCleanup(run);
  if (!running) {
    end();
    return;
  }
  try {
    running.then(
      () => {
        end();
      },
      (error: unknown) => {
        end({ error });
      },
    );
  } catch (thrown) {
    end({ error: thrown });
  }
}
