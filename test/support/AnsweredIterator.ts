import { deferred, type Deferred } from './settle.js';

/** An asynchronous iterator that a test answers by hand, and that notices when it is treated wrongly. */
export class AnsweredIterator<T> implements AsyncIterator<T, undefined> {
  /** What it was called with, in order. */
  readonly calls: ('next' | 'return')[] = [];
  private answer: Deferred<IteratorResult<T, undefined>> | undefined;

  constructor(private readonly cleanup: PromiseLike<unknown> = Promise.resolve()) {}

  get pending(): boolean {
    return this.answer !== undefined;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.answer) throw new Error('next() was called before the last answer was there');
    this.calls.push('next');
    this.answer = deferred<IteratorResult<T, undefined>>();
    return this.answer.promise;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.calls.push('return');
    await this.cleanup;
    return { done: true, value: undefined };
  }

  give(value: T): void {
    this.take().resolve({ done: false, value });
  }

  end(): void {
    this.take().resolve({ done: true, value: undefined });
  }

  fail(error: unknown): void {
    this.take().reject(error);
  }

  private take(): Deferred<IteratorResult<T, undefined>> {
    const { answer } = this;
    if (!answer) throw new Error('nobody has asked');
    this.answer = undefined;
    return answer;
  }
}
