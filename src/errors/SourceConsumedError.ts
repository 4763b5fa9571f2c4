/**
 * An iterator or a stream, which can be gone through only once, was subscribed to a second time (by `retry` or `repeat`, say).
 * @public
 */
export class SourceConsumedError extends Error {
  override readonly name = 'SourceConsumedError';

  constructor() {
    super(
      'fromPull: this source can be gone through only once, and it has been. ' +
        'Pass a function that opens it anew for each subscription: fromPull(() => ...).',
    );
  }
}
