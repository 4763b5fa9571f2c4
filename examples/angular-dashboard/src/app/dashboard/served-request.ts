/** A request that the shop has served, as the server tells of it. */
export interface ServedRequest {
  readonly id: number;
  /** When it was served, in ms. */
  readonly at: number;
  readonly host: string;
  readonly route: string;
  readonly status: number;
  /** How long it took. */
  readonly ms: number;
  readonly bytes: number;
}

export const hasFailed = (request: ServedRequest): boolean => request.status >= 500;
