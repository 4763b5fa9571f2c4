import { failureOf } from './failureOf.js';
import { TaskResult } from './TaskResult.js';

/** What a task comes to. The promise of it is made when somebody asks for it, or has to be told. */
export class TaskOutcome<T> {
  /** Of work that has come to its end by itself. */
  value: T | undefined = undefined;
  failures: unknown[] | undefined = undefined;
  private settleResult: (() => void) | undefined = undefined;
  private taskResult: TaskResult<T> | undefined = undefined;

  get result(): Promise<T | undefined> {
    if (!this.taskResult) {
      this.taskResult = new TaskResult<T>();
      this.settleResult?.();
    }
    return this.taskResult.promise;
  }

  fulfil(): void {
    this.settle(() => {
      this.taskResult?.resolve(this.value);
    });
  }

  cancel(reason: unknown): void {
    this.settle(() => {
      this.taskResult?.reject(reason, true);
    });
  }

  /** `isTold`: somebody else is told, and nobody has to look at the result. */
  fail(where: string, failures: readonly unknown[], isTold: boolean): void {
    this.settle(() => {
      this.taskResult?.reject(failureOf(where, failures), isTold);
    });
    if (!isTold) void this.result; // unhandled, if nobody looks at it
  }

  private settle(settleResult: () => void): void {
    this.settleResult = settleResult;
    settleResult();
  }
}
