/** Why a request is not answered with what it asks for. */
export class Refusal extends Error {
  constructor(
    /** Of HTTP. */
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}
