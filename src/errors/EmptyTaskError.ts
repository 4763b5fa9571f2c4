/**
 * A task has completed without a value, so it has no result.
 * @public
 */
export class EmptyTaskError extends Error {
  override readonly name = 'EmptyTaskError';

  constructor(
    /** Who ran it: `'gather'`, with its `name` if it has one. */
    readonly where: string,
    /** Which of the tasks, from 0. */
    readonly index: number,
  ) {
    super(
      `${where}: task ${String(index)} has completed without a value. ` +
        'Give it one where it has none, by defaultIfEmpty or endWith, say.',
    );
  }
}
