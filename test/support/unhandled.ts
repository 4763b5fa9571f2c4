import { config } from 'rxjs';
import { afterEach, beforeEach, expect, vi } from 'vitest';

/** Collects what RxJS would report as unhandled, and fails a test that leaves something in it. */
export function collectUnhandled(): unknown[] {
  const errors: unknown[] = [];
  beforeEach(() => {
    config.onUnhandledError = (error: unknown) => {
      errors.push(error);
    };
  });
  afterEach(async () => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    config.onUnhandledError = null;
    expect(errors.splice(0)).toEqual([]);
  });
  return errors;
}

/** Takes what is reported next. */
export async function reported(unhandled: unknown[]): Promise<unknown> {
  await vi.waitFor(() => {
    expect(unhandled).not.toEqual([]);
  });
  return unhandled.shift();
}
