/**
 * That aborted work rejects is what was asked for, whatever its library calls that; that its clean-up fails is not. Never throws,
 * whatever it is.
 */
export function isCancellation(error: unknown, reason: unknown): boolean {
  try {
    return saysSo(error, reason);
  } catch {
    return false; // a proxy that has been revoked, a name without a text: nobody would be told of the failure
  }
}

function saysSo(error: unknown, reason: unknown): boolean {
  const { name, code, cause } = Object(error) as { name?: unknown; code?: unknown; cause?: unknown };
  return (
    error === reason ||
    (cause !== undefined && cause === reason) ||
    /^(Abort|Cancell?ed|Cancel)Error$/.test(String(name)) ||
    code === 'ABORT_ERR' ||
    code === 'ERR_CANCELED'
  );
}
