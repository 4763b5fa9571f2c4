import { createShutdown } from '../../src/index.js';

/**
 * A provider. Inject it where pipelines run, `gracefulShutdown(..., { on: flow.shutdown })`; Nest calls its method by the name,
 * and waits for what that gives.
 */
export class FlowShutdown {
  readonly shutdown = createShutdown({ drainTimeout: 20_000 });

  async onApplicationShutdown(signal?: string): Promise<void> {
    await this.shutdown.stop(signal);
  }
}
