import { reasonOf } from '../../machines/reasonOf.js';

/** What has failed, as one error: what it is, if it is one. */
export function failureOf(where: string, errors: readonly unknown[]): unknown {
  return errors.length === 1 ? errors[0] : together(where, errors);
}

/** What has failed, as an `AggregateError`. */
export function together(where: string, errors: readonly unknown[]): AggregateError {
  const more = errors.length === 1 ? '' : ` (and ${String(errors.length - 1)} more)`;
  return new AggregateError(errors, `${where}: ${reasonOf(errors[0])}${more}`);
}
