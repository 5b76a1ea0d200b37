/** No field of a request disappears without a word: on its way to another dialect it is said there, told as left out, or refused by name. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { say } from '../../harness/model-answer.ts'
import { type Wire, wireNames, wireOf } from '../breaking-wires.ts'
import { ask } from './asking.ts'
import { fieldsOf, toldAs } from './fields.ts'
import { type Kinds, startKinds } from './gateway.ts'

let kinds: Kinds
beforeAll(async () => {
  kinds = await startKinds()
})
afterAll(() => kinds.close())

/** What the vendor is asked, and what the client is told. */
async function asked(
  client: Wire,
  upstream: Wire,
  field?: string,
): Promise<{ readonly body: string; readonly status: number; readonly told: string }> {
  let body = ''
  kinds.vendor.respond((request) => {
    body = request.bytes.toString('utf8')
    return say(request, { text: 'Noted.' })
  })
  const [first = '', second] = field?.split('.') ?? []
  const value: unknown = field === undefined ? undefined : fieldsOf[client][field]
  const fields = field === undefined ? {} : { [first]: second === undefined ? value : { [second]: value } }
  const { status, headers, text } = await ask(kinds.url, client, wireOf(upstream).model, fields)
  return { body, status, told: status === 200 ? String(headers['x-turnward-warnings'] ?? '') : text }
}

const pairs = wireNames.flatMap((client) => wireNames.filter((upstream) => upstream !== client).map((upstream) => ({ client, upstream })))

describe.each(pairs)('from $client to $upstream', ({ client, upstream }) => {
  test('every field is kept, told or refused by name', async () => {
    const bare = await asked(client, upstream)
    expect(bare).toMatchObject({ status: 200, told: '' })
    const problems: string[] = []
    for (const field of Object.keys(fieldsOf[client])) {
      const { body, status, told } = await asked(client, upstream, field)
      const last = field.split('.').at(-1) ?? ''
      const isNamed = [last, String(toldAs[last])].some((name) => told.includes(name))
      const isKept = body !== bare.body
      if (status === 200 ? !isKept && !isNamed : !isNamed) problems.push(`${field}: ${status} ${told}`)
      if (status !== 200 && (status >= 500 || body !== '')) problems.push(`${field} reached the vendor: ${status}`)
    }
    expect(problems.join('\n')).toBe('')
  })

  test('what is kept as it was is not told as left out', async () => {
    const problems: string[] = []
    for (const [field, value] of Object.entries(fieldsOf[client])) {
      const { body, told } = await asked(client, upstream, field)
      if (typeof value !== 'object' && typeof value !== 'boolean' && body.includes(String(value)) && told !== '')
        problems.push(`${field}: ${told}`)
    }
    expect(problems.join('\n')).toBe('')
  })
})
