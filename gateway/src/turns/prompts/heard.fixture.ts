/** What a vendor was sent, whatever dialect it speaks. */
import type { VendorRequest } from '../../../../conformance/harness/vendor.ts'
import type { DialectName } from '../../wire/dialect.ts'
import { dialectByName } from '../../wire/dialects.ts'

/** By who says it; what one says in several messages is put together. */
export function heard({ path, bytes }: VendorRequest): {
  readonly system: string[]
  readonly said: readonly (readonly [string, string])[]
} {
  const body = JSON.parse(bytes.toString())
  const { messages } = dialectByName[dialectOf(path)].readRequest({ stream: false, model: 'm', ...body })
  const said: [string, string][] = []
  for (const { role, text } of messages.filter((message) => message.role !== 'system')) {
    const last = said.at(-1)
    if (last?.[0] === role) last[1] += `\n${text}`
    else said.push([role, text])
  }
  return { system: messages.filter(({ role }) => role === 'system').flatMap(({ text }) => text.split(/\n+/)), said }
}

function dialectOf(path: string): DialectName {
  if (path.includes('/converse')) return 'converse'
  if (/:(?:stream)?[gG]enerateContent/.test(path)) return 'gemini'
  if (path.endsWith('/messages')) return 'messages'
  return path.endsWith('/responses') ? 'responses' : 'chat-completions'
}
