/**
 * Takes contents out of the calls of a history again: their client has them, and the model reads the handles it wrote. Known is a
 * call by the place its answer stands at, or by what the whole message says and exactly what its calls are made with.
 */
import { digestJson } from '../../core/hash.ts'
import type { JsonObject } from '../../core/json.ts'
import { labelFromRecord } from '../../policy/label.ts'
import type { Label } from '../../policy/types.ts'
import type { CallContents } from '../../state/state-values.ts'
import type { AttachedCall, ModelCall } from '../call.ts'
import type { HistoryEntry } from '../sessions/history.ts'
import { contentsKey } from './contents-of-calls.ts'
import { handlesIn } from './handle-text.ts'
import { noteShown } from './withheld-results.ts'

/** A message whose contents were taken out. */
export interface TakenOut {
  /** What the model made, by the id the client calls it by. */
  readonly calls: Readonly<Record<string, CallContents>>
  /** The label the message counts with now. */
  readonly label: Label
  /** There may be contents in it that nobody can tell from what the model wrote: it counts with their label. */
  readonly isDoubtful?: boolean
}

type Emptied = AttachedCall & Pick<ModelCall, 'history' | 'dialect' | 'body'> & { bytes: Buffer | undefined }

/** Edits the body; `isAside`: and nothing else. By entry of the history; empty where no message has any, which is nearly always. */
export async function takeContentsOut(call: Emptied, isAside = false): Promise<ReadonlyMap<HistoryEntry, TakenOut>> {
  const taken = new Map<HistoryEntry, TakenOut>()
  for (const entry of call.history) {
    if (entry.message.calls.length === 0 || entry.digest === undefined) continue
    const found = await contentsOf(call, entry, entry.digest)
    if (found === undefined) continue
    taken.set(entry, found)
    for (const { id } of entry.message.calls) {
      const args = found.calls[id]?.args as JsonObject | undefined
      if (args === undefined) continue
      call.dialect.edit.writeArguments(call.body.json, entry.message.index, id, args)
      call.bytes = undefined
      // A branch of the conversation the handle was shown in: it means the same here.
      if (!isAside) await noteShown(call, handlesIn(args))
    }
  }
  return taken
}

async function contentsOf(call: Emptied, { message, place }: HistoryEntry, digest: string): Promise<TakenOut | undefined> {
  const { services, snapshot } = call
  const known = await services.state.get('answer', place)
  if (known !== undefined) {
    const { contents, contentsOfSeveral } = known
    if (contents === undefined) return undefined
    const label = labelFromRecord(known.label, snapshot.policy)
    // What was released there counts, not what the client says of it: some fill in defaults.
    if (contentsOfSeveral !== true) return { calls: contents, label }
    const exact = message.calls.filter(({ id, args }) => isExact(contents[id], args))
    const isDoubtful = message.calls.some((made) => contents[made.id] !== undefined && !exact.includes(made))
    return { calls: Object.fromEntries(exact.map(({ id }) => [id, contents[id] as CallContents])), label, isDoubtful }
  }
  const alike = await services.state.get('contents', contentsKey(call, digest))
  const exact = alike?.messages.findLast(({ calls }) =>
    message.calls.every(({ id, args }) => calls[id] === undefined || isExact(calls[id], args)),
  )
  return exact === undefined ? undefined : { calls: exact.calls, label: labelFromRecord(exact.label, snapshot.policy) }
}

function isExact(contents: CallContents | undefined, args: JsonObject | undefined): boolean {
  return contents !== undefined && args !== undefined && digestJson(args) === contents.sent
}
