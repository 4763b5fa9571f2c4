/**
 * One attempt that has failed.
 * @public
 */
export interface FailedAttempt {
  /** What it has failed with. */
  readonly error: unknown;
  /** When, in ms, as the `scheduler` tells the time. */
  readonly at: number;
}

/**
 * A value that was given up, and what has been tried.
 * @public
 */
export interface DeadLetter<V> {
  /** As it was given to `deadLetter`. */
  readonly value: V;
  /** What the last attempt has failed with. */
  readonly error: unknown;
  /** How many attempts there were. */
  readonly attempts: number;
  /** When the first one failed, in ms, as the `scheduler` tells the time. */
  readonly firstFailedAt: number;
  /** All of them, the oldest first. */
  readonly failures: readonly FailedAttempt[];
}

/**
 * A dead letter could not be delivered: here it is. The `cause` is what the delivery has failed with.
 * @public
 */
export class DeadLetterError<V = unknown> extends Error {
  override readonly name = 'DeadLetterError';

  constructor(
    /** Who could not deliver it: `'deadLetter'`, with its `name` if it has one. */
    readonly where: string,
    /** What could not be delivered, with the error of the work. */
    readonly letter: DeadLetter<V>,
    /** What the delivery has failed with. */
    override readonly cause: unknown,
  ) {
    super(
      `${where}: the work for a value has failed (attempts: ${String(letter.attempts)}), and 'to' has failed with its dead letter. ` +
        "It is the 'letter' of this error; what 'to' has failed with is the 'cause'.",
    );
  }
}
