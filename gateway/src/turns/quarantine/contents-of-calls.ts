/**
 * Calls whose client got what handles stand for: what the model wrote is kept where the answer stands in its conversation, and under
 * what the message says, so that the contents are taken out again wherever the client sends the call back. A message whose contents
 * cannot be taken out counts with their label.
 */
import { digestJson, keyedHash } from '../../core/hash.ts'
import { join, labelRecord } from '../../policy/label.ts'
import type { Label } from '../../policy/types.ts'
import type { CallContents } from '../../state/state-values.ts'
import type { Dialect, ToolCallView } from '../../wire/dialect.ts'
import type { AttachedCall, ContentsOfCall, ModelCall } from '../call.ts'

type Written = ReadonlyMap<string, ContentsOfCall>

/** Messages that are kept of those that say the same; models that number their calls anew make many. */
const mostAlike = 8

/** The calls of a message as its client will send them back. */
export function sentAs(dialect: Dialect, calls: readonly ToolCallView[], written: Written): readonly ToolCallView[] {
  const sent = calls.map((made) => ({ ...made, args: written.get(made.id)?.args ?? made.args }))
  if (dialect.idsOf === undefined || written.size === 0) return sent
  const ids = dialect.idsOf(sent)
  return sent.map((made, at) => ({ ...made, id: ids[at] ?? made.id }))
}

/** The label of a message whose calls have these contents. */
export function contentsLabel(written: Written, label: Label): Label {
  return [...written.values()].reduce((joined, one) => join(joined, one.label), label)
}

export interface DeliveredContents {
  /** Of the message, as it will be sent back. */
  readonly digest: string
  /** The calls as the model made them, and as they will be sent back. */
  readonly calls: readonly ToolCallView[]
  readonly sent: readonly ToolCallView[]
  readonly written: Written
}

/** Keeps what the model wrote. Resolves with what belongs to the place of the answer; undefined when nothing was put in place. */
export async function keepContents(
  call: ModelCall,
  { digest, calls, sent, written }: DeliveredContents,
): Promise<Readonly<Record<string, CallContents>> | undefined> {
  if (written.size === 0) return undefined
  const kept: Record<string, CallContents> = {}
  for (const [at, { id }] of calls.entries()) {
    const contents = written.get(id)
    const shown = sent[at]
    if (contents !== undefined && shown !== undefined) kept[shown.id] = { id, args: contents.made, sent: digestJson(contents.args) }
  }
  const { services, snapshot, presented } = call
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  await services.state.change('contents', contentsKey(call, digest), (before) => ({
    value: { messages: [...(before?.messages ?? []), { calls: kept, label: labelRecord(presented, snapshot.policy) }].slice(-mostAlike) },
    expires,
    result: undefined,
  }))
  return kept
}

/** Where the contents of a message are kept that its owner may send back anywhere. */
export function contentsKey({ services, caller }: Pick<AttachedCall, 'services' | 'caller'>, digest: string): string {
  return keyedHash(services.secret, 'contents', caller.principal.id, caller.consumer ?? '', digest)
}
