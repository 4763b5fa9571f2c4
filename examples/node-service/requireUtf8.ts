import { defer, tap, type MonoTypeOperatorFunction } from 'rxjs';
import { Refusal } from './Refusal.js';

/** Passes bytes on, and fails where they are no UTF-8: whoever reads lines would put U+FFFD in their place, and lose them. */
export const requireUtf8 = (): MonoTypeOperatorFunction<Uint8Array> => (source) =>
  defer(() => {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const check = (chunk: Uint8Array, stream: boolean) => {
      try {
        decoder.decode(chunk, { stream });
      } catch {
        throw new Refusal(400, 'the body is not UTF-8');
      }
    };
    return source.pipe(
      tap({
        next: (chunk) => {
          check(chunk, true);
        },
        complete: () => {
          check(nothing, false); // it may have ended within a character
        },
      }),
    );
  });

const nothing = new Uint8Array();
