import { shown } from './arguments.js';

// What is known of Node's streams without Node.

/** `stream`, if it has these methods. */
export function streamOf<S>(operator: string, kind: string, methods: readonly (keyof S)[], stream: S): S {
  const given = stream as S | null | undefined;
  if (methods.every((method) => typeof given?.[method] === 'function')) return stream;
  throw new TypeError(`${operator} takes a ${kind} or a function that opens one, got ${shown(stream)}`);
}

/** What Node says of a stream that closed before its end: no failure where it was told to. */
export function isPrematureClose(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_STREAM_PREMATURE_CLOSE';
}
