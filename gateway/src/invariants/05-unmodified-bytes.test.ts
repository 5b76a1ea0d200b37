/** Invariant 5: bytes of an unmodified same-dialect request and response are identical to the upstream's. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventsOf, streamHeaders, vendorHeaders } from '../../../conformance/harness/model-answer.ts'
import { chatCompletion } from '../../../conformance/harness/openai-wire.ts'
import { message } from '../../../conformance/harness/anthropic-wire.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor, type VendorReply, type VendorRequest } from '../../../conformance/harness/vendor.ts'
import { keys, openFloors } from './floors.fixture.ts'
import { vendorConfig, wires, type Wire } from './vendors.fixture.ts'

/** White space where JSON allows it. */
const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/)
/** Text with what serialisers disagree about: escapes, line separators, surrogate pairs, slashes. */
const words = fc
  .array(fc.constantFrom('a', 'é', '😀', ' ', '/', '<', '"', '\\', '\n', '0.10', '\u2028'), { maxLength: 8 })
  .map((parts) => parts.join(''))
/** The same text, written in one of the ways JSON allows. */
const written = fc
  .tuple(words, fc.boolean())
  .map(([text, escaped]) =>
    escaped
      ? `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
      : JSON.stringify(text),
  )
const number = fc.constantFrom('1', '1.0', '1e2', '-0', '0.30000000000000004', '12345678901234567890')

interface Spelling {
  readonly gaps: readonly string[]
  readonly prompt: string
  readonly unknown: string
  readonly number: string
}
const spelling: fc.Arbitrary<Spelling> = fc.record({
  gaps: fc.array(space, { minLength: 4, maxLength: 4 }),
  prompt: written,
  unknown: written,
  number,
})

/** A request as no serialiser would write it. */
function requestText({ kind, stream }: Wire, { gaps, prompt, unknown, number: seed }: Spelling): string {
  const [a = '', b = '', c = '', d = ''] = gaps
  const usage = kind === 'openai' && stream ? `,"stream_options"${a}:{"include_usage":true}` : ''
  return `${a}{${b}"x_unknown"${c}:${unknown},"seed":${seed},${d}"model":"m","max_tokens":1e2${usage},"stream":${c}${stream},"messages":[${a}{"content":${prompt}${b},"role":"user","x_more":{"a":[${seed}, null]}}${d}]}${c}`
}

/** An answer with fields nobody knows, spelt oddly; streams are cut anywhere. */
function reply(
  request: VendorRequest,
  { gaps, unknown, prompt, number: value }: Spelling,
  cuts: readonly number[],
): { readonly reply: VendorReply; readonly bytes: Buffer } {
  const odd = `"x_unknown":${gaps[0]}${unknown},"x_number":${value},`
  const text = JSON.parse(prompt) as string
  if (request.body.stream !== true) {
    const plain = request.dialect === 'openai' ? chatCompletion({ text }, 'm') : message({ text }, 'm')
    const bytes = Buffer.from(plain.replace('{', `{${odd}`))
    return { bytes, reply: { headers: vendorHeaders(request), parts: [bytes] } }
  }
  const events = eventsOf(request, { text: text === '' ? 'x' : text }).map((event) =>
    event.replace('data: {', `data: {${odd.replaceAll(/[\r\n]/g, ' ')}`),
  )
  const bytes = Buffer.from(`: a comment\n\n${events.join('')}`)
  const places = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b)
  const parts = [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length)).filter((part) => part.length > 0)
  return { bytes, reply: { headers: streamHeaders(request), parts } }
}

describe.each(wires)('$path, stream: $stream', (wire) => {
  test('whatever the spelling, the upstream reads what was sent and the client what was answered', async () => {
    let spelt: Spelling | undefined
    let cuts: readonly number[] = []
    let answered = Buffer.alloc(0)
    await using vendor = await startVendor((request) => {
      if (spelt === undefined) throw new Error('nothing was sent')
      const made = reply(request, spelt, cuts)
      answered = Buffer.from(made.bytes)
      return made.reply
    })
    await using floors = await openFloors({ config: vendorConfig(wire.kind, vendor.url) })
    await fc.assert(
      fc.asyncProperty(spelling, fc.array(fc.nat(100_000), { maxLength: 6 }), async (how, where) => {
        spelt = how
        cuts = where
        const text = requestText(wire, how)
        const answer = await post(`${floors.url}${wire.path}`, keys.alice, text)
        expect(answer.status, answer.text).toBe(200)
        expect(vendor.last().bytes.equals(Buffer.from(text)), vendor.last().bytes.toString()).toBe(true)
        expect(answer.bytes.toString('utf8')).toBe(answered.toString('utf8'))
        expect(answer.bytes.equals(answered)).toBe(true)
      }),
      { numRuns: 25 },
    )
  })
})
