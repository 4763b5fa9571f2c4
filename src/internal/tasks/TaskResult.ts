import { noop } from 'rxjs';

interface Settling<T> {
  fulfil(value: T | undefined): void;
  reject(error: unknown): void;
}

/** The promise of what a task comes to. */
export class TaskResult<T> {
  readonly promise: Promise<T | undefined>;
  private settle!: Settling<T>;

  constructor() {
    this.promise = new Promise((fulfil, reject) => {
      this.settle = { fulfil, reject };
    });
  }

  resolve(value: T | undefined): void {
    this.settle.fulfil(value);
  }

  /** `isTold`: somebody else is told of it, and nobody has to look here. */
  reject(error: unknown, isTold: boolean): void {
    if (isTold) this.promise.catch(noop);
    this.settle.reject(error);
  }
}
