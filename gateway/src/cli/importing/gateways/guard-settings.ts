/** Settings that every guard has, in the words of other gateways. What is no such word is spoken of, and the stricter one holds. */
import type { DraftEntry } from './draft-entry.ts'
import type { ForeignTexts } from './foreign-text.ts'
import type { Foreign } from './foreign-value.ts'

export type Side = 'input' | 'output' | 'both'

/** What a guard looks at. `words`: theirs, and ours; `usual`: where nothing is said. */
export function setSide(entry: DraftEntry, from: Foreign | undefined, words: Readonly<Record<string, Side>>, usual: Side): void {
  const word = from?.text()
  const side = word !== undefined && Object.hasOwn(words, word) ? words[word] : undefined
  if (from !== undefined && side === undefined)
    from.left('it is no side that is known: what is asked and what is answered are both looked at')
  entry.set('on', side ?? (from === undefined ? usual : 'both'), side === undefined ? undefined : from)
}

/** Whether a call goes on when the service of a guard does not answer. `open`: the answer that says so. */
export function setFailing(entry: DraftEntry, from: Foreign | undefined, open: boolean): void {
  const said = from?.flag()
  if (said !== undefined) entry.set('fail', said === open ? 'open' : 'closed', from)
}

const longestMs = 60_000

/** How long the service of a guard may take. `milliseconds`: how many each of it has. */
export function setWait(entry: DraftEntry, from: Foreign | undefined, milliseconds: number): void {
  const length = Math.round((from?.number() ?? Number.NaN) * milliseconds)
  if (from === undefined) return
  if (!(length >= 1)) from.left('it is no length of time: the service has five seconds')
  else if (length > longestMs) entry.set('timeout_ms', longestMs, from, 'a guard is waited for a minute at most')
  else entry.set('timeout_ms', length, from)
}

/** How much of a stream is gathered before the service is asked about it, in bytes. */
export function setHold(entry: DraftEntry, from: Foreign | undefined): void {
  if (from === undefined) return
  const bytes = from.number()
  if (entry.value['on'] === 'input') from.left('answers are not looked at')
  else if (bytes !== undefined && Number.isInteger(bytes) && bytes >= 1 && bytes <= 100_000)
    entry.set('hold', bytes, from, 'it counts characters')
  else from.left('it is no number of characters from 1 to 100000')
}

/** Only what users said is looked at of a request. `from`: what says so. */
export function setUsersOnly(entry: DraftEntry, from: Foreign): void {
  if (entry.value['on'] === 'output') from.left('only answers are looked at')
  else entry.set('parts', ['user'], from)
}

/** Where a service is: an address without the path that the gateway adds itself. */
export function setServiceUrl(entry: DraftEntry, from: Foreign, path: RegExp, owner: string, texts: ForeignTexts): void {
  const text = from.text() ?? ''
  const plain = texts.plain(text)
  const written = texts.address(plain === undefined ? text : plain.replace(path, '').replace(/\/+$/, ''), owner)
  entry.set('url', written.text, from, written.why ?? (plain === undefined ? 'the variable holds the address without a path' : undefined))
}

/** Texts of a list, each of which may stand in ours. Returns them; the others are spoken of. */
export function textsOf(
  list: Foreign | undefined,
  entry: DraftEntry,
  setting: string,
  { isTaken, why, most }: { readonly isTaken: (text: string) => boolean; readonly why: string; readonly most: number },
): string[] {
  const taken: string[] = []
  for (const item of list?.items() ?? []) {
    const text = item.text()
    if (text === undefined || !isTaken(text)) item.left(why)
    else if (taken.length >= most) item.left(`there can be ${most} at most`)
    else entry.from(item, `${setting}[${taken.push(text) - 1}]`)
  }
  return taken
}
