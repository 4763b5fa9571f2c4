import { inspect } from 'node:util';
import fc from 'fast-check';
import { sources, waits, type SourceProgram } from './sources.js';
import {
  demandBelow,
  demandInto,
  exact,
  free,
  orderBelow,
  tooMany,
  type Demand,
  type Order,
  type StageModel,
} from './StageModel.js';
import { modelOf, stages, type StageProgram } from './stages.js';
import { rarely } from './works.js';

/** Who takes what comes out at the end. */
export interface ConsumerProgram {
  /** Always ready; closes its gate for each value; closes it now and then; reads with `for await`. */
  readonly kind: 'subscribe' | 'slow' | 'closing' | 'reader';
  /** How long each takes, in ms, in turn. */
  readonly ms: readonly number[];
  readonly highWaterMark: number;
  /** When it leaves: at a moment, or inside of so manieth value. */
  readonly leaves: { readonly at: 'ms' | 'value'; readonly count: number } | undefined;
}

/** A random pipeline, and how it is used. */
export interface PipelineProgram {
  readonly sources: readonly SourceProgram[];
  readonly combine: 'concat' | 'merge';
  readonly stages: readonly StageProgram[];
  readonly consumer: ConsumerProgram;
}

const programs = (faults: boolean): fc.Arbitrary<PipelineProgram> =>
  fc.record({
    sources: fc.array(sources(faults), { minLength: 1, maxLength: 3 }),
    combine: fc.constantFrom('concat' as const, 'merge' as const),
    stages: fc.array(stages(faults), { minLength: 2, maxLength: 6 }),
    consumer: fc.record({
      kind: fc.constantFrom('subscribe' as const, 'slow' as const, 'closing' as const, 'reader' as const),
      ms: fc.array(fc.constantFrom(0, 1, 2, 5, 25), { minLength: 1, maxLength: 4 }),
      highWaterMark: fc.nat(2),
      leaves: faults
        ? fc.option(
            fc.oneof(
              fc.record({ at: fc.constant('ms' as const), count: fc.nat(60) }),
              fc.record({ at: fc.constant('value' as const), count: fc.integer({ min: 1, max: 8 }) }),
            ),
            { nil: undefined, freq: 2 },
          )
        : rarely<undefined>(fc.constant(undefined), undefined),
    }),
  });

/** Nothing fails, and nobody leaves. */
export const calmPrograms = programs(false);
/** Anything may fail, be cut off or left at any time. */
export const faultyPrograms = programs(true);

/** What is promised between two stages: in front of the first, of the second, ..., and of the consumer. */
export interface Boundary {
  readonly demand: Demand;
  readonly order: Order;
}

export function boundariesOf({ sources, combine, stages }: PipelineProgram): Boundary[] {
  let demand = sources.every(waits) ? exact : free;
  let order = combine === 'merge' && sources.length > 1 ? ('none' as Order) : 'kept';
  const echoes = sources.some(({ kind }) => kind === 'echo');
  const boundaries = [{ demand, order }];
  for (const stage of stages) {
    const model = modelOf(stage);
    demand = demandBelow(demand, model, echoes);
    order = orderBelow(order, model, echoes);
    boundaries.push({ demand, order });
  }
  return boundaries;
}

/** Whether more may come into a stage than it can hold, which is an error. */
function mayOverflow(model: StageModel, source: Demand): boolean {
  const { overflows, overflowsInside, holds = 0, capacity = Infinity } = model;
  return (overflowsInside ?? false) || ((overflows ?? false) && holds + tooMany(demandInto(source, model)) > capacity);
}

/** The names of errors that a program may end with though nothing fails. */
export function possibleErrors(program: PipelineProgram): string[] {
  const boundaries = boundariesOf(program);
  const models = program.stages.map(modelOf);
  const overflows = models.some((model, i) => mayOverflow(model, (boundaries[i] as Boundary).demand));
  return [...(overflows ? ['BufferOverflowError'] : []), ...models.flatMap(({ errors = [] }) => errors)];
}

/** Everything that comes from the sources goes in. */
export function takesAll({ stages, consumer }: PipelineProgram): boolean {
  return consumer.leaves === undefined && !stages.some((stage) => modelOf(stage).cuts);
}

/** A program, to be read. */
export function shown({ sources, combine, stages, consumer }: PipelineProgram): string {
  const written = (value: unknown) => inspect(value, { depth: 6, breakLength: Infinity });
  return [
    `${combine}(`,
    ...sources.map(({ kind, ...source }, i) => `  ${String.fromCharCode(97 + i)}: ${kind} ${written(source)},`),
    ').pipe(',
    ...stages.map(({ name, options }) => `  ${name}(${written(options) === '{}' ? '' : written(options)}),`),
    `) for a consumer: ${consumer.kind} ${written({ ...consumer, kind: undefined }).replace('kind: undefined, ', '')}`,
  ].join('\n');
}
