/**
 * Records that the person named: what results of the conversation list, and the person wrote a name of. The ids of such records
 * count where an argument says so (`contracts.*.args.*.record`).
 */
import type { Label } from '../../policy/types.ts'
import type { ToolResultView } from '../../wire/dialect.ts'
import type { ProposingCall } from '../call.ts'
import { CallsBefore, deliveredLabel, meaningOf } from '../deciding/labels-of-history.ts'
import { labelledParts, type LabelledPart } from './labelled-parts.ts'
import { type ListedRecord, type Listing, listingOf, ownNames, readRecords } from './records-in-results.ts'

/** A record whose name the person wrote. */
export interface NamedRecord extends Pick<ListedRecord, 'of' | 'id'> {
  /** Of the person's words that have the name. */
  readonly label: Label
}

/** The records of these kinds in the results of a conversation, as far as its person wrote a name that only one of a kind has. */
export async function namedRecords(call: ProposingCall, kinds: ReadonlySet<string>): Promise<readonly NamedRecord[]> {
  const names = ownNames(await recordsOf(call, kinds))
  if (names.length === 0) return []
  const persons = await personsParts(call)
  const found: NamedRecord[] = []
  for (const { of, id, value } of names)
    for (const part of persons) if (value.isIn(part.text)) found.push({ of, id, label: await part.label(value) })
  return found
}

async function personsParts(call: ProposingCall): Promise<readonly LabelledPart[]> {
  const found: LabelledPart[] = []
  for await (const part of labelledParts(call)) {
    if (part.kind === 'principal') found.push(part)
    // The words of people come first.
    else if (part.kind !== 'operator') break
  }
  return found
}

/** What the results of calls that were delivered here list: what somebody else made up says nothing of ids. */
async function recordsOf(call: ProposingCall, kinds: ReadonlySet<string>): Promise<readonly ListedRecord[]> {
  const { history = [], snapshot } = call
  const calls = new CallsBefore(history)
  const found: ListedRecord[] = []
  for (const [index, { message }] of history.entries()) {
    for (const result of message.results) {
      const made = calls.find(index, result.callId)
      if (made === undefined) continue
      const listing = listingOf(snapshot.policy, (await meaningOf(call, made)).tools)
      if (listing === undefined || !kinds.has(listing.of)) continue
      if ((await deliveredLabel(call, made.entry)) !== undefined) found.push(...recordsIn(result, listing))
    }
  }
  return found
}

const known = new WeakMap<ToolResultView, { readonly listing: Listing; readonly text: string; readonly records: readonly ListedRecord[] }>()

/** Read once for each result: a long conversation has them in common from call to call. */
function recordsIn(result: ToolResultView, listing: Listing): readonly ListedRecord[] {
  const before = known.get(result)
  if (before?.listing === listing && before.text === result.text) return before.records
  const records = readRecords(result.text, listing)
  known.set(result, { listing, text: result.text, records })
  return records
}
