/** Which words of a conversation bring a label along, and which are remembered under one. */
import type { JsonValue } from '../../core/json.ts'
import { isObject } from '../../core/json.ts'
import { isPublicLabel, join, labelFromRecord, labelRecord } from '../../policy/label.ts'
import type { Label } from '../../policy/types.ts'
import { whenRead, type MaybePromise } from '../../state/state-store.ts'
import type { AttachedCall } from '../call.ts'

/** What a text repeats that was said or returned under a restricted label; undefined when it repeats nothing of the kind. */
export function labelOfWords(
  { services, snapshot, caller }: AttachedCall,
  text: () => string,
  comesAgain = false,
): MaybePromise<Label | undefined> {
  const { words } = services
  const found = comesAgain ? words.findAgain(caller.principal.id, text) : words.find(caller.principal.id, text)
  return whenRead(found, (records) =>
    records.length === 0 ? undefined : records.map((record) => labelFromRecord(record, snapshot.policy)).reduce(join),
  )
}

/** Remembers what was said or returned under a label, if the label restricts anything. */
export async function rememberWords(
  call: AttachedCall,
  texts: readonly string[],
  label: Label,
  except: ReadonlySet<number> = none,
): Promise<void> {
  const { services, snapshot, caller } = call
  if (isFreeLabel(call, label)) return
  await services.words.remember(
    caller.principal.id,
    texts,
    labelRecord(label, snapshot.policy),
    except,
    snapshot.settings.turns.session_idle_ms,
  )
}

/** Whether a label restricts nothing. */
export function isFreeLabel({ snapshot }: AttachedCall, label: Label): boolean {
  return isPublicLabel(label, snapshot.policy.trustRanks.length - 1)
}

const none: ReadonlySet<number> = new Set()

/** Every text in the arguments of a call. */
export function textsIn(value: JsonValue | undefined, depth = 32): string[] {
  if (typeof value === 'string') return [value]
  if (depth === 0) return []
  if (Array.isArray(value)) return value.flatMap((item) => textsIn(item, depth - 1))
  return isObject(value) ? Object.values(value).flatMap((item) => textsIn(item, depth - 1)) : []
}

/** What says what kind of part something is, and is shown to nobody. */
const structural: ReadonlySet<string> = new Set(['type', 'mimeType', 'role', 'uri', 'resultType', 'method', 'mode'])

/** Every text of a result that is shown, in order. */
export function shownTexts(value: JsonValue | undefined, depth = 32): string[] {
  if (typeof value === 'string') return [value]
  if (depth === 0) return []
  if (Array.isArray(value)) return value.flatMap((item) => shownTexts(item, depth - 1))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => (structural.has(key) ? [] : shownTexts(inner, depth - 1)))
}
