import { createPool as createGenericPool } from 'generic-pool';
import { Pool as LightningPool } from 'lightning-pool';
import { Pool as TarnPool } from 'tarn';
import { createPool } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'A resource acquired from a pool and returned, against others: how many times as long they take';

const count = 1000;
const max = 10;
const create = () => ({ used: 0 });
const acquireTimeout = 30_000;

/** Each as `acquire()` that gives a resource and what returns it, with the same limits. */
const pools = {
  ours: () => {
    const pool = createPool({ create, max, acquireTimeout });
    return {
      acquire: () => pool.acquire(),
      resourceOf: (lease) => lease.resource,
      release: (lease) => lease.release(),
      close: () => pool.drain(),
    };
  },
  tarn: () => {
    const pool = new TarnPool({
      create: async () => create(),
      destroy: () => undefined,
      min: 0,
      max,
      acquireTimeoutMillis: acquireTimeout,
    });
    return {
      acquire: () => pool.acquire().promise,
      resourceOf: (resource) => resource,
      release: (resource) => pool.release(resource),
      close: () => pool.destroy(),
    };
  },
  'generic-pool': () => {
    const pool = createGenericPool(
      { create: async () => create(), destroy: async () => undefined },
      { max, acquireTimeoutMillis: acquireTimeout },
    );
    return {
      acquire: () => pool.acquire(),
      resourceOf: (resource) => resource,
      release: (resource) => pool.release(resource),
      close: () => pool.drain().then(() => pool.clear()),
    };
  },
  'lightning-pool': () => {
    const pool = new LightningPool(
      { create: async () => create(), destroy: async () => undefined },
      { max, acquireTimeoutMillis: acquireTimeout, validation: false },
    );
    pool.start();
    return {
      acquire: () => pool.acquire(),
      resourceOf: (resource) => resource,
      release: (resource) => pool.release(resource),
      close: () => pool.closeAsync(),
    };
  },
};

/** Give how often a resource was used. */
const workloads = {
  'with free resources': async ({ acquire, resourceOf, release }) => {
    let used = 0;
    for (let i = 0; i < count; i++) {
      const lease = await acquire();
      resourceOf(lease).used++;
      used++;
      release(lease);
    }
    return used;
  },
  'with 100 waiting': async ({ acquire, resourceOf, release }) => {
    let used = 0;
    const user = async () => {
      for (let i = 0; i < count / (max + 100); i++) {
        const lease = await acquire();
        resourceOf(lease).used++;
        used++;
        await undefined; // so that the others have to wait
        release(lease);
      }
    };
    await Promise.all(Array.from({ length: max + 100 }, user));
    return used;
  },
};

export async function* rows() {
  for (const workload of Object.keys(workloads)) {
    const processes = await inProcesses(import.meta.url, [workload]);
    for (const peer of Object.keys(processes[0])) {
      const ratios = processes.map((ratios) => ratios[peer]);
      yield row(`${workload}: ${peer}`, ratios, { atLeast: 1 });
    }
  }
}

export async function measure(workload) {
  const made = Object.entries(pools).map(([name, make]) => [name, make()]);
  const expected = await workloads[workload](made[0][1]);
  const runs = made.map(([name, pool]) => [
    name,
    async () => {
      const used = await workloads[workload](pool);
      if (used !== expected) throw new Error(`${name}: used ${used} times`);
    },
  ]);
  const { ours, ...peers } = await rounds(Object.fromEntries(runs), { count: 30, warmUpMs: 60 });
  for (const [, pool] of made) void pool.close();
  return Object.fromEntries(Object.entries(peers).map(([name, times]) => [name, timesAsFast(ours, times)]));
}
