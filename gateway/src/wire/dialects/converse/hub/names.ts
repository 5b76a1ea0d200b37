/** Names of tools and ids of calls as Converse takes them: letters, digits, `_` and `-`, 64 of them at most. And names for what it does not name. */
import { sha256 } from '../../../../core/hash.ts'
import { randomText } from '../../../../core/ids.ts'
import { acceptedId, acceptedName } from '../../../hub/accepted-names.ts'
import type { AnswerOptions } from '../../../hub/dialect-hub.ts'
import { unsupported } from '../../../request/fields.ts'

const longest = 64

/** Throws `request.unsupported` for a name the vendor would refuse. */
export function converseName(name: string, at: string): string {
  const written = acceptedName(name)
  if (written.length > longest)
    throw unsupported(at, `its name has more than ${longest} characters, which Converse refuses`, 'Give the tool a shorter name.')
  return written
}

/** In a request a call and its result only have to find each other: a long id becomes a hash of it. */
export function converseId(id: string): string {
  const written = acceptedId(id)
  return written.length > longest ? `tw_${sha256(id).slice(0, 48)}` : written
}

/** An answer of Converse has no id and does not say whose it is. Others tell their answers apart by the id, so each gets one. */
export function namesOf({ model = '' }: AnswerOptions): { readonly id: string; readonly model: string } {
  return { id: `msg_tw_${randomText(22)}`, model }
}
