/**
 * Keeps answers for their callers: sealed, for a while, so many and so much for each. Found again by nobody but the same
 * caller (`keeper.ts`).
 */
import { TurnwardError } from '../../core/error.ts'
import { keyedHash, sha256 } from '../../core/hash.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { KeptResponse } from '../../state/state-values.ts'
import type { KeptAnswer } from '../../wire/kept-answers.ts'
import { expiryOf, type Keeper, keyOf, ownerOf } from './keeper.ts'
import { forgetStream, renewStream } from './kept-streams.ts'
import { seal, unseal } from './sealing.ts'
import { putOnShelf } from './shelves.ts'

export interface FoundAnswer extends KeptAnswer {
  readonly key: string
  /** Its end is not known yet. */
  readonly isOpen: boolean
  /** It is told event by event as well. */
  readonly isStreamed: boolean
}

export interface AnswerToKeep {
  readonly id: string
  readonly response: JsonObject
  /** JSON of the conversation it answers: what becomes of the request afterwards is not its client's. */
  readonly inputText: string
  readonly previous: string | null
  readonly modelCall: string
  /** What it is; an answer unless it says otherwise. */
  readonly kind?: 'conversation'
}

/** What the caller knows by this id; undefined when there is nothing, or more than one. */
export function findAnswer(keeper: Keeper, id: string, kind: 'response' | 'conversation' = 'response'): Promise<FoundAnswer | undefined> {
  return findByKey(keeper, keyOf(keeper, kind, id))
}

export async function findByKey({ services }: Keeper, key: string): Promise<FoundAnswer | undefined> {
  const kept = await services.state.get('response', key)
  return kept === undefined || kept.isAmbiguous === true ? undefined : opened(services.secret, key, kept)
}

/** The answer that brought the item the caller knows by this id. */
export async function findAnswerOfItem(keeper: Keeper, id: string): Promise<string | undefined> {
  const key = await keeper.services.state.get('item', keyOf(keeper, 'item', id))
  return key === '' ? undefined : key
}

/** An item of an answer belongs to it, unless it belongs to another one as well. */
export async function noteItems(keeper: Keeper, key: string, ids: Iterable<string>): Promise<void> {
  const expires = expiryOf(keeper)
  for (const id of ids)
    await keeper.services.state.change('item', keyOf(keeper, 'item', id), (before) => {
      return { value: before === undefined || before === key ? key : '', expires, result: undefined, mayWait: true }
    })
}

/**
 * Keeps an answer under its id. Some servers give the same id again and again: then it is nobody's, because going on from
 * another conversation than is meant would be worse than going on from none. The same answer once more (an edge may have
 * remembered it) is no other one. False when it is too large to be kept.
 */
export async function keepUnderId(keeper: Keeper, answer: AnswerToKeep): Promise<boolean> {
  const value = sealed(keeper, answer)
  if (value === undefined) return false
  const key = keyOf(keeper, answer.kind ?? 'response', answer.id)
  const expires = expiryOf(keeper)
  await keeper.services.state.change('response', key, (before) => {
    const isSame = before === undefined || before.digest === value.digest || before.modelCall === value.modelCall
    return { value: isSame ? value : { ...before, isAmbiguous: true }, expires, result: undefined, mayWait: true }
  })
  await putOnShelf(keeper, ownerOf(keeper), key, value.sealed.length)
  return true
}

/** Keeps an answer that is only begun, under an id of the gateway's own. False when it is too large to be kept. */
export async function beginAnswer(keeper: Keeper, answer: AnswerToKeep, isStreamed = false): Promise<boolean> {
  const value = sealed(keeper, answer)
  if (value === undefined) return false
  const key = keyOf(keeper, answer.kind ?? 'response', answer.id)
  await keeper.services.state.put('response', key, { ...value, isOpen: true, ...(isStreamed ? { isStreamed } : {}) }, expiryOf(keeper))
  return true
}

/**
 * Takes the right to end an answer that was begun, for whoever has to do something else before: from then on it is too late to
 * cancel it. False when it has an end, or was deleted.
 */
export async function claimEnd(keeper: Keeper, id: string): Promise<boolean> {
  const expires = expiryOf(keeper)
  return keeper.services.state.change('response', keyOf(keeper, 'response', id), (before) => {
    if (before?.isOpen !== true) return { value: before, expires, result: false }
    return { value: { ...before, isEnding: true }, expires, result: true }
  })
}

export interface EndOptions {
  /** Who waits for it. */
  readonly announce?: string
  /** Not when whoever makes it has begun to end it. */
  readonly unlessEnding?: boolean
  /** It says no more than what it has come to: what was begun fitted, and so does that. */
  readonly isShort?: boolean
}

/** Keeps the end of an answer that was begun. False when it had one already, was deleted, or is too large. */
export async function endAnswer(
  keeper: Keeper,
  answer: AnswerToKeep,
  { announce, unlessEnding = false, isShort = false }: EndOptions = {},
): Promise<boolean> {
  const value = sealed(keeper, answer, isShort)
  if (value === undefined) return false
  const expires = expiryOf(keeper)
  const key = keyOf(keeper, answer.kind ?? 'response', answer.id)
  const isFirst = await keeper.services.state.change('response', key, (before) => {
    if (before?.isOpen !== true || (unlessEnding && before.isEnding === true)) return { value: before, expires, result: false }
    return { value: before.isStreamed === true ? { ...value, isStreamed: true } : value, expires, result: true, announce }
  })
  // As large as it is now; one that is made has a place of its own (`background-answers.ts`).
  if (isFirst) await putOnShelf(keeper, ownerOf(keeper), key, value.sealed.length)
  return isFirst
}

/** Keeps an answer that is still made as long again. */
export async function renewAnswer(keeper: Keeper, key: string): Promise<void> {
  const { state } = keeper.services
  const isStreamed = await state.change('response', key, (before) => {
    const value = before?.isOpen === true ? { ...before } : before
    return { value, expires: expiryOf(keeper), result: before?.isStreamed === true }
  })
  if (isStreamed) await renewStream(keeper, key)
}

/** How often a change is made again on what others have made of it. */
const mostAttempts = 50

/**
 * Makes the next of something kept out of the present one; what nothing has happened to for its time is forgotten. `change`:
 * undefined when there is nothing to change. Resolves with what it is then, or why it is not.
 */
export async function changeKept(
  keeper: Keeper,
  id: string,
  change: (found: KeptAnswer) => KeptAnswer | undefined,
): Promise<KeptAnswer | 'unknown' | 'too large'> {
  const key = keyOf(keeper, 'conversation', id)
  let segment: number | undefined
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const before = await keeper.services.state.get('response', key)
    const found = before === undefined ? undefined : opened(keeper.services.secret, key, before)
    const next = found === undefined ? undefined : change(found)
    if (next === undefined) return 'unknown'
    const { response, previous } = next
    const value = sealed(keeper, { id, response, previous, inputText: JSON.stringify(next.input), modelCall: id, kind: 'conversation' })
    if (value === undefined) return 'too large'
    const place = (segment ??= await placeFor(keeper, key, value, before?.segment))
    const expires = expiryOf(keeper)
    const isDone = await keeper.services.state.change('response', key, (present) => {
      const isSame = present?.digest === before?.digest
      return { value: isSame ? { ...value, segment: place } : present, expires, result: isSame }
    })
    if (isDone) return next
  }
  throw new TurnwardError('state.busy')
}

/** Where something that is changed stands: where it stood, as long as nothing newer has a segment of its own. */
async function placeFor(keeper: Keeper, key: string, { sealed: content }: KeptResponse, before: number | undefined): Promise<number> {
  const owner = ownerOf(keeper)
  const shelf = before === undefined ? undefined : await keeper.services.state.get('shelf', owner)
  return before !== undefined && shelf?.segments.at(-1)?.number === before ? before : putOnShelf(keeper, owner, key, content.length)
}

/** Forgets an answer, and how it was told. */
export async function forgetAnswer({ services }: Keeper, key: string, announce?: string): Promise<void> {
  await services.state.change('response', key, () => ({ value: undefined, expires: 0, result: undefined, announce }))
  await forgetStream(services.state, key)
}

function textOf({ response, inputText, previous }: AnswerToKeep): string {
  return `{"previous":${JSON.stringify(previous)},"response":${JSON.stringify(response)},"input":${inputText}}`
}

/** Undefined when it is too large to be kept. */
function sealed(keeper: Keeper, answer: AnswerToKeep, isShort = false): KeptResponse | undefined {
  const { services, snapshot } = keeper
  const bytes = Buffer.from(textOf(answer))
  if (!isShort && bytes.length > snapshot.settings.responses.max_bytes) return undefined
  return {
    sealed: seal(services.secret, keyOf(keeper, answer.kind ?? 'response', answer.id), bytes),
    digest: keyedHash(services.secret, 'kept', sha256(bytes)),
    modelCall: answer.modelCall,
  }
}

function opened(
  secret: Buffer,
  key: string,
  { sealed: content, isOpen = false, isStreamed = false }: KeptResponse,
): FoundAnswer | undefined {
  const bytes = unseal(secret, key, content)
  if (bytes === undefined) return undefined
  const { previous, response, input } = parseJson(bytes.toString('utf8')) as {
    readonly previous: string | null
    readonly response: JsonObject
    readonly input: readonly JsonValue[]
  }
  return { key, previous, response, input, isOpen, isStreamed }
}
