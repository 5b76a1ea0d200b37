/** Streams whose messages are numbered blocks: what a round of them has come to, in every dialect that has them. */
import type { JsonObject, JsonValue } from '../../core/json.ts'
import type { ResponseView, ToolCallView, WrittenArguments } from '../dialect.ts'
import type { GateRound } from '../gate/stream-lens.ts'
import { malformed } from '../request/fields.ts'

export interface StreamBlock {
  readonly index: number
  readonly native: JsonObject
  /** Fragments of `input`, joined. */
  json: string
  isStopped: boolean
}

/** The number of a block, which every event of it has. Throws `upstream.malformed`. */
export function blockIndex(index: JsonValue | undefined): number {
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0) throw malformed('a block of its stream has no index')
  return index
}

/** Blocks one message may have. */
export const maxBlocks = 4096

/** Indexes of blocks that are still open. */
export function openBlocksOf(blocks: ReadonlyMap<number, StreamBlock>): number[] {
  return [...blocks.values()].filter(({ isStopped }) => !isStopped).map(({ index }) => index)
}

/** Indexes of calls that a length limit has cut off: their input is no JSON object, or had not begun. `inputOf`: undefined when it is none. */
export function cutCallsOf(
  blocks: ReadonlyMap<number, StreamBlock>,
  isCall: (native: JsonObject) => boolean,
  inputOf: (block: StreamBlock) => JsonObject | undefined,
): number[] {
  const all = [...blocks.values()]
  const last = all.at(-1)
  return all
    .filter((block) => isCall(block.native) && (inputOf(block) === undefined || (block === last && block.json.trim() === '')))
    .map(({ index }) => index)
}

export interface MadeCall {
  readonly index: number
  readonly view: ToolCallView
  readonly native: JsonObject
}

/** What calls are released with instead of what the model wrote: the first fragment of each has all of it. */
export class WrittenInputs {
  readonly #args: ReadonlyMap<number, JsonObject>
  readonly #told = new Set<number>()

  constructor(args: WrittenArguments, calls: readonly Pick<MadeCall, 'index' | 'view'>[]) {
    this.#args = new Map(
      calls.flatMap(({ index, view }) => {
        const written = args.get(view.id)
        return written === undefined ? [] : [[index, written]]
      }),
    )
  }

  /** Undefined for a call that goes out as it was made. */
  of(index: number): JsonObject | undefined {
    return this.#args.get(index)
  }

  /** All of it as JSON, once; undefined afterwards. */
  take(index: number): string | undefined {
    if (this.#told.has(index)) return undefined
    this.#told.add(index)
    return JSON.stringify(this.#args.get(index) ?? {})
  }
}

/** A round of blocks, as a dialect has put it together. */
export interface BlockRound {
  isComplete(): boolean
  calls(): readonly MadeCall[]
  cutCalls(): readonly number[]
  assistantMessage(): JsonObject
  finish(): ResponseView['finish']
  readonly usage: GateRound['usage']
}

/** What the gate is told of it. `about`: what the dialect says of itself. */
export function gateRoundOf(round: BlockRound, about: Pick<GateRound, 'responseId' | 'model' | 'vendorRan'>): GateRound {
  const complete = round.isComplete()
  // Calls of a stream that was cut off are nobody's to decide, and may lack anything.
  const made = complete ? round.calls() : []
  const cut = round.cutCalls()
  const calls = made.filter(({ index }) => !cut.includes(index))
  return {
    calls: calls.map(({ view }) => view),
    native: new Map(calls.map(({ view, native }) => [view.id, native])),
    assistant: () => round.assistantMessage(),
    cutCalls: made.length - calls.length,
    finish: round.finish(),
    usage: round.usage,
    ...about,
    complete,
  }
}
