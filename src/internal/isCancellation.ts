/** That aborted work rejects is what was asked for, whatever its library calls that; that its clean-up fails is not. */
export function isCancellation(error: unknown, reason: unknown): boolean {
  const { name, code, cause } = Object(error) as { name?: unknown; code?: unknown; cause?: unknown };
  return (
    error === reason ||
    (cause !== undefined && cause === reason) ||
    /^(Abort|Cancell?ed|Cancel)Error$/.test(String(name)) ||
    code === 'ABORT_ERR' ||
    code === 'ERR_CANCELED'
  );
}
