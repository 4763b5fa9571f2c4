/**
 * More has come out of the operator in a `demandWindow` than had gone in, so that it cannot know how much is inside.
 * @public
 */
export class DemandWindowError extends Error {
  override readonly name = 'DemandWindowError';

  constructor(
    /** Which window: the operator, with its `name` if it has one. */
    readonly where: string,
    /** How many values were inside. */
    readonly inside: number,
    /** How many were said to leave. */
    readonly leaving: number,
  ) {
    super(
      `${where}: ${String(leaving)} cannot leave, ${String(inside)} are inside. ` +
        'A result counts as one value that leaves: say with valuesIn how many it stands for, ' +
        'or use bufferedMergeMap, whose values may have any number of results.',
    );
  }
}
