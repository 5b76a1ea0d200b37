/** A key that a caller of the other gateway has, as a key of ours: its owner need not get a new one. */
import type { Draft } from './draft.ts'
import { DraftEntry } from './draft-entry.ts'
import type { ForeignTexts } from './foreign-text.ts'
import type { Foreign } from './foreign-value.ts'

/** Of keys, in characters. */
const shortest = 20

/** `owner`: the principal, who is the consumer as well. */
export function takeKey(key: Foreign | undefined, owner: string, draft: Draft, texts: ForeignTexts): void {
  const text = key?.text()
  if (key === undefined || text === undefined) return
  const plain = texts.plain(text)
  if (plain !== undefined && plain.length < shortest) {
    key.left(`a key has ${shortest} characters or more here: make one with \`turnward keys create\``)
    return
  }
  const written = texts.secret(text, owner, `${owner}_KEY`)
  if (draft.isKeyTaken(written.text)) {
    key.left('another key is the same')
    return
  }
  const entry = new DraftEntry().set('principal', owner).set('consumer', owner)
  draft.add('keys', owner, entry.set('secret', written.text, key, written.why))
}
