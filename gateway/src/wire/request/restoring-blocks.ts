/**
 * Putting back what denial splicing took out of a history whose messages are blocks: words and calls of the model in one message,
 * all their results at the start of the next. Dialects that have it so say what their blocks are.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { SplicedCall, SplicedRound, SpliceRecord } from '../dialect.ts'
import { answeredCalls, withDropped, withNotices } from './restoring-order.ts'

export interface BlockKind {
  /** The blocks of a content; text alone is one. */
  readonly blocksOf: (content: JsonValue | undefined) => JsonObject[]
  readonly isCall: (block: JsonObject) => boolean
  /** Of a call; '' when it has none. */
  readonly idOf: (call: JsonObject) => string
  readonly isResult: (block: JsonObject) => boolean
  /** The call a result answers. */
  readonly answeredId: (result: JsonObject) => JsonValue | undefined
  /** What the model is told in place of a result. */
  readonly resultOf: (call: SplicedCall) => JsonObject
}

/** Restores the message at `index` of a list. Returns by how much the list grew before what follows it. Mutates. */
export function restoreBlocks(list: JsonValue | undefined, index: number, record: SpliceRecord, kind: BlockKind): number {
  const messages = Array.isArray(list) ? list : []
  const message = messages[index]
  if (!isObject(message)) return 0
  const before = messages.length
  const blocks = deliveredBlocks(message, record, kind)
  if (record.dropped.length > 0) {
    const calls = withDroppedCalls(blocks.filter(kind.isCall), record.dropped, kind)
    message.content = withCalls(blocks, calls, kind)
    answerDropped(messages, index + 1, calls, record.dropped, kind)
  } else if (record.delivered !== undefined) {
    message.content = blocks
  }
  messages.splice(index, 0, ...record.rounds.flatMap((round) => messagesOfRound(round, kind)))
  return messages.length - before
}

/** A round that stayed here: what the model said, and what it is told. */
export function messagesOfRound({ assistant, calls }: SplicedRound, kind: BlockKind): JsonObject[] {
  const made = kind
    .blocksOf(assistant.content)
    .filter(kind.isCall)
    .map((block) => ({ id: kind.idOf(block) }))
  return [assistant, { role: 'user', content: answeredCalls(made, calls).map(kind.resultOf) }]
}

/** The blocks of the message as the model made it, as far as the client has kept its calls. */
function deliveredBlocks(message: JsonObject, { delivered, dropped }: SpliceRecord, kind: BlockKind): JsonObject[] {
  const shown = kind.blocksOf(message.content)
  if (delivered === undefined) return shown
  const { isCall, idOf } = kind
  const known = new Set([...shown.filter(isCall).map(idOf), ...dropped.map(({ id }) => id)])
  const made = kind.blocksOf(delivered.content).filter((block) => !isCall(block) || known.has(idOf(block)))
  const lost = shown.filter((block) => isCall(block) && !made.some((other) => isCall(other) && idOf(other) === idOf(block)))
  // A round without text of its own left nothing to show: then the client's view is all there is.
  return made.length === 0 ? shown : [...made, ...lost]
}

function withDroppedCalls(calls: readonly JsonObject[], dropped: SpliceRecord['dropped'], { idOf }: BlockKind): JsonObject[] {
  const named = (block: JsonObject): JsonObject => ({ id: idOf(block), block })
  return withDropped(
    calls.map(named),
    dropped.map((refused) => ({ ...refused, call: { id: refused.id, block: refused.call } })),
  ).map(({ block }) => block as JsonObject)
}

/** The blocks with their calls replaced by `calls`: dropped calls before the call they stood before, else at the end. */
function withCalls(blocks: readonly JsonObject[], calls: readonly JsonObject[], { isCall, idOf }: BlockKind): JsonObject[] {
  const result: JsonObject[] = []
  const waiting = [...calls]
  for (const [index, block] of blocks.entries()) {
    if (!isCall(block)) {
      result.push(block)
      continue
    }
    while (waiting[0] !== undefined && idOf(waiting[0]) !== idOf(block)) result.push(...waiting.splice(0, 1))
    result.push(...waiting.splice(0, 1))
    // After the last call of the message come all that are left.
    if (!blocks.slice(index + 1).some(isCall)) result.push(...waiting.splice(0))
  }
  return [...result, ...waiting]
}

function answerDropped(
  messages: JsonValue[],
  index: number,
  calls: readonly JsonObject[],
  dropped: readonly SplicedCall[],
  kind: BlockKind,
): void {
  const next = messages[index]
  const isAnswer = isObject(next) && next.role === 'user'
  const blocks = isAnswer ? kind.blocksOf(next.content) : []
  const merged = withNotices(blocks.filter(kind.isResult), calls.map(kind.idOf), dropped, kind.answeredId, kind.resultOf)
  // The vendor wants the answers first, before anything the user says.
  const content = [...merged, ...blocks.filter((block) => !kind.isResult(block))]
  if (isAnswer) next.content = content
  else messages.splice(index, 0, { role: 'user', content })
}
