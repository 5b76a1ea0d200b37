/** A stream past guards, however it is cut: into texts, into events, into bytes. */
import { configSchema } from '@turnward/contract/config'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileGuards } from '../../config/guards.ts'
import type { ConfigInput } from '../../invariants/floors.fixture.ts'
import { noopTelemetry } from '../../telemetry/noop.ts'
import { dialectByName } from '../../wire/dialects.ts'
import { GuardedEvents } from './guarded-events.ts'
import { type GuardedCall, GuardsOfCall } from './guards-of-call.ts'
import { lookAtAnswer } from './looking-at-answers.ts'

const chat = dialectByName['chat-completions']

function guardsOf(guards: NonNullable<ConfigInput['guards']>): GuardsOfCall {
  const compiled = [...compileGuards(configSchema.parse({ guards }).guards).values()]
  const records: unknown[] = []
  const call = {
    services: {
      secret: Buffer.alloc(32, 1),
      telemetry: noopTelemetry,
      log: { append: (record: unknown) => records.push(record) },
      clock: { now: () => 0 },
    },
    snapshot: { standingGuards: [], revision: 'r', policy: {} },
    caller: { principal: { id: 'alice', groups: [] }, actors: [], issuer: null },
    session: null,
    turn: null,
    modelCall: 'mc_1',
    span: {},
    decision: 'dec_1',
    recordedAs: 'model_call',
    model: 'm',
    origin: { signal: new AbortController().signal },
  } as unknown as GuardedCall
  const made = GuardsOfCall.of(call, { guards: compiled })
  if (made === undefined) throw new Error('no guards')
  return made
}

const nothing = (): void => {}
const ways = (out: Buffer[]) => ({
  push: (bytes: Buffer) => void out.push(bytes),
  now: () => 0,
  pause: nothing,
  resume: nothing,
  fail: nothing,
})

const chunkOf = (delta: object, index = 0): string =>
  `data: ${JSON.stringify({ id: 'c', choices: [{ index, delta, finish_reason: null }] })}\n\n`
const last = 'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

async function pass(
  guards: GuardsOfCall,
  chunks: readonly Buffer[],
  holdsAll = guards.holdsAnswer,
): Promise<{ readonly bytes: string; readonly early: string }> {
  const out: Buffer[] = []
  const events = new GuardedEvents(chat, guards, { maxEventBytes: 1 << 20, holdsAll, ...ways(out) })
  for (const chunk of chunks) events.push(chunk)
  const early = Buffer.concat(out).toString()
  await events.end()
  return { bytes: Buffer.concat(out).toString(), early }
}

const saidIn = (bytes: string): string =>
  [...bytes.matchAll(/^data: (\{.*)$/gm)]
    .map(([, json = '']) =>
      (JSON.parse(json) as { choices: { delta: { content?: string } }[] }).choices.map(({ delta }) => delta.content ?? '').join(''),
    )
    .join('')

const argsIn = (bytes: string): string =>
  [...bytes.matchAll(/^data: (\{.*)$/gm)]
    .flatMap(
      ([, json = '']) => (JSON.parse(json) as { choices: { delta: { tool_calls?: { function: { arguments: string } }[] } }[] }).choices,
    )
    .flatMap(({ delta }) => delta.tool_calls ?? [])
    .map((call) => call.function.arguments)
    .join('')

const redacting: NonNullable<ConfigInput['guards']> = {
  unseen: { kind: 'invisible' },
  codename: { kind: 'patterns', mode: 'redact', deny: ['(?i)project\\s+bluebird', 'b{3,20}'], replacement: 'X', hold: 40 },
  keys: { kind: 'secrets', mode: 'redact' },
  people: { kind: 'pii', restore: false },
}

const words = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('word ', 'a', '"', '\\', '\\n', ' ', 'é', '漢字', '🙂', '. ', '\n', '42 ', '@', '+49', 'AB') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'project bluebird',
        'Project \t BLUEBIRD ',
        'proj\u200bect blue\u200bbird',
        'bbbbb',
        'alice@corp.example',
        ' 4111 1111 1111 1111 ',
        ' DE89 3704 0044 0532 0130 00 ',
        ' +49 30 901820 ',
        `AKIA${'IOSFODNN7EXAMPLE'} `,
        'p\u0430ypal ',
      ),
    },
  ),
  { maxLength: 24 },
)
const cuts = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 12 })

function cut<T extends string | Buffer>(whole: T, sizes: readonly number[]): T[] {
  const parts: T[] = []
  for (let at = 0, turn = 0; at < whole.length; turn += 1) {
    const size = Math.max(turn % sizes.length === 0 ? 1 : 0, sizes[turn % sizes.length] ?? 1)
    parts.push(whole.slice(at, at + size) as T)
    at += size
  }
  return parts
}

describe('a text in a stream', () => {
  test('comes out as it does when it is looked at as a whole, however it was cut', async () => {
    await fc.assert(
      fc.asyncProperty(words, cuts, cuts, async (list, sizes, byteSizes) => {
        const text = list.join('')
        const units = [{ place: 'answer', text, isFixed: false } as const].map((unit) => ({ ...unit }))
        await lookAtAnswer(guardsOf(redacting), units)
        const stream = [chunkOf({ role: 'assistant', content: '' }), ...cut(text, sizes).map((content) => chunkOf({ content })), last].join(
          '',
        )
        const chunks = cut(
          Buffer.from(stream),
          byteSizes.map((size) => size * 40),
        )
        const { bytes } = await pass(guardsOf(redacting), chunks)
        expect(saidIn(bytes)).toBe(units[0]?.text)
        if (units[0]?.text === text) expect(bytes).toBe(stream)
      }),
      { numRuns: 300 },
    )
  })

  test('is blocked before any of what is denied has gone out, as long as that is not longer than what is held back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 300 }), cuts, async (before, sizes) => {
        const text = `${before} project bluebird and on`
        const guards = guardsOf({ codename: { kind: 'patterns', deny: ['project bluebird'], hold: 30 } })
        const out: Buffer[] = []
        const events = new GuardedEvents(chat, guards, {
          maxEventBytes: 1 << 20,
          holdsAll: false,
          ...ways(out),
        })
        const run = async (): Promise<void> => {
          for (const content of cut(text, sizes)) events.push(Buffer.from(chunkOf({ content })))
          events.push(Buffer.from(last))
          await events.end()
        }
        await expect(run()).rejects.toMatchObject({ code: 'guard.answer_refused', subject: 'codename' })
        const said = saidIn(Buffer.concat(out).toString())
        expect(text.startsWith(said)).toBe(true)
        expect(said.length).toBeLessThanOrEqual(before.length + 1)
        expect(guards.records().guards).toMatchObject([{ action: 'block', shown: said.length }])
      }),
      { numRuns: 200 },
    )
  })

  test('flows: no more is held back than is asked for', async () => {
    const text = 'Some words that say nothing of it at all. '.repeat(20)
    const guards = guardsOf({ codename: { kind: 'patterns', deny: ['project bluebird'], hold: 50 } })
    const { early } = await pass(
      guards,
      cut(text, [7]).map((content) => Buffer.from(chunkOf({ content }))),
    )
    expect(text.length - saidIn(early).length).toBeLessThanOrEqual(50 + 32 + 7)
  })

  test('that is longer than what is held back ends where it is found, and the record says how much was shown', async () => {
    const guards = guardsOf({ long: { kind: 'patterns', deny: ['begin[a-z ]{80}finish'], hold: 20 } })
    const text = `begin${'a word of'.repeat(9).slice(0, 80)}finish`
    const refused = pass(
      guards,
      [...cut(text, [5]).map((content) => chunkOf({ content })), last].map((part) => Buffer.from(part)),
    )
    await expect(refused).rejects.toMatchObject({ code: 'guard.answer_refused' })
    const [record] = guards.records().guards ?? []
    expect(record?.shown).toBeGreaterThan(0)
    expect(record?.shown).toBeLessThan(text.length)
  })

  test('is held back to the end of its sentence, where that is asked for', async () => {
    const guards = guardsOf({ codename: { kind: 'patterns', deny: ['project bluebird'], hold: 'sentence' } })
    const text = `${'A sentence of some length that says nothing. '.repeat(3)}And one that has not`
    const { early } = await pass(guards, [
      Buffer.from(chunkOf({ content: 'x. ' })),
      ...cut(text, [1]).map((content) => Buffer.from(chunkOf({ content }))),
    ])
    expect(saidIn(early)).toMatch(/nothing\. $/)
  })

  test('is one text, whatever comes in it that says nothing', async () => {
    const chunks = [chunkOf({ content: 'of project ' }), chunkOf({}), ': comment\n\n', chunkOf({ content: 'bluebird.' }), last]
    const { bytes } = await pass(
      guardsOf({ codename: { kind: 'patterns', mode: 'redact', deny: ['project bluebird'], replacement: 'X' } }),
      chunks.map((text) => Buffer.from(text)),
    )
    expect(saidIn(bytes)).toBe('of X.')
  })

  test('two texts that come by turns do not hide anything in each other', async () => {
    const turns = ['project', 'a', ' blue', 'b', 'bird.', 'c']
    const chunks = [...turns.map((content, at) => chunkOf({ content }, at % 2)), last].map((text) => Buffer.from(text))
    const { bytes } = await pass(
      guardsOf({ codename: { kind: 'patterns', mode: 'redact', deny: ['project bluebird'], replacement: 'X' } }),
      chunks,
    )
    expect(saidIn(bytes)).toBe('XabX.c'.replace('XabX.c', 'Xab.c'))
  })

  test('a thought is read, and never written otherwise', async () => {
    const chunks = [
      chunkOf({ reasoning_content: 'of project ' }),
      chunkOf({ reasoning_content: 'bluebird' }),
      chunkOf({ content: 'Hm.' }),
      last,
    ]
    const deny = ['project bluebird']
    const { bytes } = await pass(
      guardsOf({ codename: { kind: 'patterns', mode: 'redact', deny } }),
      chunks.map((text) => Buffer.from(text)),
    )
    expect(bytes).toBe(chunks.join(''))
    const blocked = pass(
      guardsOf({ codename: { kind: 'patterns', deny } }),
      chunks.map((text) => Buffer.from(text)),
    )
    await expect(blocked).rejects.toMatchObject({ code: 'guard.answer_refused' })
  })

  test('what must be in an answer is looked for when it is whole, and nothing goes out before', async () => {
    const guards = (): GuardsOfCall => guardsOf({ polite: { kind: 'patterns', on: 'output', allow: ['[Pp]lease'] } })
    const chunks = [chunkOf({ content: 'Do it, ' }), chunkOf({ content: 'please.' }), last].map((text) => Buffer.from(text))
    const { bytes, early } = await pass(guards(), chunks)
    expect([saidIn(bytes), early]).toEqual(['Do it, please.', ''])
    await expect(
      pass(
        guards(),
        [chunkOf({ content: 'Do it.' }), last].map((text) => Buffer.from(text)),
      ),
    ).rejects.toMatchObject({
      code: 'guard.answer_refused',
    })
  })
})

describe('what calls are made with', () => {
  const callOf = (args: string, sizes: readonly number[]): Buffer[] =>
    [
      chunkOf({ content: 'I send it.' }),
      chunkOf({ tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'send', arguments: '' } }] }),
      ...cut(args, sizes).map((part) => chunkOf({ tool_calls: [{ index: 0, function: { arguments: part } }] })),
      last,
    ].map((text) => Buffer.from(text))

  test('is looked at as what it says, however it is escaped and cut', async () => {
    const args = '{"body":"project \\u0062luebird","to":["a"],"n":1}'
    await fc.assert(
      fc.asyncProperty(cuts, async (sizes) => {
        const { bytes } = await pass(guardsOf(redacting), callOf(args, sizes))
        expect(JSON.parse(argsIn(bytes))).toEqual({ body: 'X', to: ['a'], n: 1 })
        await expect(
          pass(guardsOf({ codename: { kind: 'patterns', deny: ['project bluebird'] } }), callOf(args, sizes)),
        ).rejects.toMatchObject({
          code: 'guard.answer_refused',
        })
      }),
    )
  })

  test('has the originals of placeholders, as JSON has them', async () => {
    const guards = guardsOf({ people: { kind: 'pii', on: 'input' } })
    const original = 'o"brien@corp.example'
    const placeholder = guards.placeholders.make('email', original)
    const { bytes, early } = await pass(guards, callOf(JSON.stringify({ to: `<${placeholder}>` }), [3]))
    expect(JSON.parse(argsIn(bytes))).toEqual({ to: `<${original}>` })
    // The words before a call do not wait for it.
    expect(saidIn(early)).toBe('I send it.')
  })

  test('a name in them cannot be written otherwise, and is refused', async () => {
    const refused = pass(guardsOf(redacting), callOf('{"project bluebird":1}', [5]))
    await expect(refused).rejects.toMatchObject({ code: 'guard.answer_refused', subject: 'codename' })
  })
})

test('placeholders are put back as models write them, and only those of the call', async () => {
  const guards = guardsOf({ people: { kind: 'pii', on: 'input' } })
  const placeholder = guards.placeholders.make('email', 'alice@corp.example')
  const name = placeholder.slice(1, -1)
  const text = `${placeholder}, ${name}, \\[${name.replace('_', '\\_')}\\], [EMAIL_0000000000] and [note].`
  await fc.assert(
    fc.asyncProperty(cuts, async (sizes) => {
      const { bytes } = await pass(
        guards,
        [...cut(text, sizes).map((content) => chunkOf({ content })), last].map((part) => Buffer.from(part)),
      )
      expect(saidIn(bytes)).toBe('alice@corp.example, alice@corp.example, alice@corp.example, [EMAIL_0000000000] and [note].')
    }),
    { numRuns: 50 },
  )
})
