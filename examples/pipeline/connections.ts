import { Agent } from 'node:http';
import { createPool, type Pool } from 'rxjs-flow-control';

/** Connections to the service, which stay open between requests: one socket each. */
export const createConnections = (max: number): Pool<Agent> =>
  createPool({
    create: () => new Agent({ keepAlive: true, maxSockets: 1 }),
    destroy: (agent) => {
      agent.destroy();
    },
    max,
  });
