import { Cleanups, type CleanupPatience, type CleanupResult } from '../link/Cleanups.js';
import type { CleanupScope } from '../link/protocol.js';
import { Completion } from './Completion.js';
import { resolveOnce } from './resolveOnce.js';

/**
 * Waits for one clean-up and answers for it, while the scope below waits for it, too; that answers for what fails when time is up.
 * Calls `done` at once if there is nothing to wait for.
 */
export function answerCleanup(
  cleanup: PromiseLike<unknown> | undefined,
  below: CleanupScope | undefined,
  patience: CleanupPatience,
  done: (result: CleanupResult) => void,
): void {
  if (!cleanup) {
    done({ cleanup: 'done' });
    return;
  }
  const settled = new Completion(); // one that has failed already would be answered for before anybody waits
  const cleanups = new Cleanups(below);
  cleanups.track(settled);
  cleanups.answerWhenSettled(patience, done);
  resolveOnce(cleanup, settled.resolve, settled.reject);
}
