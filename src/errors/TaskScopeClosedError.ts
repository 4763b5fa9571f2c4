/**
 * A task scope starts no more tasks: it is over, or everything in it has been told to stop; then `cause` is why.
 * @public
 */
export class TaskScopeClosedError extends Error {
  override readonly name = 'TaskScopeClosedError';

  constructor(
    /** Which scope: `'taskScope'`, with its `name` if it has one. */
    readonly where: string,
    /** `'ended'`: it was joined, and all of its tasks have ended. `'cancelled'`: it has been cancelled, or one of them has failed. */
    readonly state: 'ended' | 'cancelled',
    /** Why it was cancelled. */
    override readonly cause?: unknown,
  ) {
    super(
      state === 'ended'
        ? `${where} has been joined and is over. Run a task before the last one ends, or in a scope of its own.`
        : `${where} has been cancelled and starts no more tasks. The cause of this error is why.`,
    );
  }
}
