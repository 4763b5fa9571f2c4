/**
 * A source that can be gone through only once (an iterator, a web or a Node stream) was subscribed to a second time, by `retry`
 * or `repeat`, say; or somebody else has read a Node stream to its end.
 * @public
 */
export class SourceConsumedError extends Error {
  override readonly name = 'SourceConsumedError';

  constructor(
    /** Who was to go through it: `'fromPull'` or `'fromReadable'`. */
    readonly where: 'fromPull' | 'fromReadable',
  ) {
    super(
      `${where}: this source can be gone through only once, and it has been. ` +
        `Pass a function that opens it anew for each subscription: ${where}(() => ...).`,
    );
  }
}
