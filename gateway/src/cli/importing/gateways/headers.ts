/** Fixed headers of an upstream. */
import { connectionHeaders, fieldName } from '../../../http1/header-fields.ts'
import type { DraftEntry } from './draft-entry.ts'
import type { ForeignTexts } from './foreign-text.ts'
import type { Foreign } from './foreign-value.ts'

const ofRequests: ReadonlySet<string> = new Set(['accept', 'content-type'])

/** Sets a header, unless the connection or each request has it already, or another one of the name is there. */
export function setHeader(entry: DraftEntry, name: string, value: Foreign, owner: string, texts: ForeignTexts): void {
  const text = value.text()
  const there = Object.keys((entry.value['headers'] ?? {}) as object).map((other) => other.toLowerCase())
  const lower = name.toLowerCase()
  if (text === undefined || !fieldName.test(name) || connectionHeaders.has(lower) || ofRequests.has(lower) || there.includes(lower))
    return value.left('it cannot be a header that is sent with every request')
  const written = texts.header(name, text, owner)
  entry.value['headers'] = { ...(entry.value['headers'] as object | undefined), [name]: written.text }
  entry.from(value, `headers.${name}`, written.why)
}
