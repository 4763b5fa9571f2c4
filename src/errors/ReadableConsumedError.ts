/**
 * A Node stream, which can be read only once, was subscribed to a second time (by `retry` or `repeat`, say), or somebody else
 * has read it to its end.
 * @public
 */
export class ReadableConsumedError extends Error {
  override readonly name = 'ReadableConsumedError';

  constructor() {
    super(
      'fromReadable: this stream can be read only once, and it has been. ' +
        'Pass a function that opens it anew for each subscription: fromReadable(() => ...).',
    );
  }
}
