import { configureGlobal } from 'fast-check';
import { beforeEach } from 'vitest';

/** That a property fails is enough; to look for the smallest program that makes it fail takes much longer. */
configureGlobal({ endOnFailure: true });

/** What takes seconds is left out: it is about growth, and would be run again for each change. */
beforeEach(({ task, skip }) => {
  skip(/million|00 000|thousand/.test(task.name));
});
