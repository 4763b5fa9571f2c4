import type { Readable, Writable } from 'node:stream';

/** What is being written, and cannot be seen yet. */
export interface Draft {
  /** Its end waits until all is on the disk. */
  readonly stream: Writable;
  /** Lets it be seen, as a whole, and gives whether there was none of this name before. */
  commit(): Promise<boolean>;
  /** Leaves nothing of it. */
  discard(): Promise<void>;
}

/** Where the records are kept. */
export interface Store {
  /** Fails if the name is taken and not to be replaced. */
  create(name: string, options: { readonly replace: boolean }): Promise<Draft>;
  /** Gives `undefined` if there is none of this name. */
  open(name: string): Promise<Readable | undefined>;
}
