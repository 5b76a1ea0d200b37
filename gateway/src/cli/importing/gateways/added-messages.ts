/** Messages that another gateway adds to each conversation, as `prepend` and `append` of a route. */
import type { DraftEntry } from './draft-entry.ts'
import type { ForeignTexts } from './foreign-text.ts'
import type { Foreign } from './foreign-value.ts'
import type { RoutePart } from './route-part.ts'

export interface ForeignMessages {
  readonly prepend: Foreign | undefined
  readonly append: Foreign | undefined
  /** What says that they are there. */
  readonly said: Foreign | undefined
}

const roles: readonly string[] = ['system', 'user', 'assistant']
const most = 32
const longest = 32_000
const isMoved = 'it stands with the other instructions, before the conversation; for the last word its role is to be `user`'

/** Messages without a role are of the system. `owner`: whose they are, for the names of variables. */
export function addedMessages({ prepend, append, said }: ForeignMessages, owner: string, texts: ForeignTexts): RoutePart {
  return (route) => {
    for (const [place, list] of [
      ['prepend', prepend],
      ['append', append],
    ] as const) {
      const messages = (route.value[place] as unknown[] | undefined) ?? []
      const before = messages.length
      for (const item of list?.items() ?? []) add(item, place, messages, route, owner, texts)
      if (messages.length === before) continue
      route.set(place, messages)
      if (said !== undefined) route.from(said, place)
    }
  }
}

function add(item: Foreign, place: string, messages: unknown[], route: DraftEntry, owner: string, texts: ForeignTexts): void {
  const [roleFrom, content] = [item.get('role'), item.get('content')]
  const [role, text] = [roleFrom === undefined ? 'system' : roleFrom.text(), content?.text()]
  if (content === undefined || text === undefined || text === '' || text.length > longest)
    return item.left(`a message here is a text of at most ${longest} characters`)
  if (role === undefined || !roles.includes(role)) return item.left('messages are added for `system`, `user` and `assistant`')
  if (messages.length >= most) return item.left(`at most ${most} messages are added here`)
  const written = texts.words(text, owner, `${owner}_message`)
  const at = `${place}[${messages.push({ role, text: written.text }) - 1}]`
  if (roleFrom !== undefined) route.from(roleFrom, `${at}.role`)
  route.from(content, `${at}.text`, written.why ?? (place === 'append' && role === 'system' ? isMoved : undefined))
}
