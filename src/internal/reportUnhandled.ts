import { config } from 'rxjs';

/** Reports an error that nobody can be told of, as RxJS does: to `config.onUnhandledError`, else thrown in a task of its own. */
export function reportUnhandled(error: unknown): void {
  setTimeout(() => {
    const { onUnhandledError } = config;
    if (onUnhandledError) onUnhandledError(error);
    else throw error;
  });
}
