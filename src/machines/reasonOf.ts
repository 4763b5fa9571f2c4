/** What was thrown, in words; never throws, whatever it is. */
export function reasonOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return 'what was thrown has no text'; // Object.create(null), say
  }
}
