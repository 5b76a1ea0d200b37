/** Streams of answers in the background: whoever follows one, wherever and however often, has the same events with the same numbers. */
import type { OutgoingHttpHeaders } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { until } from '../../../../conformance/harness/until.ts'
import { Cancellation } from '../../core/cancellation.ts'
import type { JsonObject } from '../../core/json.ts'
import { stateBackends } from '../../state/backends.fixture.ts'
import type { StateStore } from '../../state/state-store.ts'
import { keptResponses as kept } from '../../wire/dialects/responses/kept-responses.ts'
import type { Outlet } from '../origins/call-origin.ts'
import { BackgroundAnswers, topicOf } from './background-answers.ts'
import { followStream } from './following-stream.ts'
import { keyOf, ownerOf } from './keeper.ts'
import { answer, keeperOn } from './keepers.fixture.ts'
import { beginAnswer, endAnswer, findByKey, forgetAnswer } from './kept-store.ts'
import { beginStream, findStream, streamTopicOf } from './kept-streams.ts'
import { LiveStream } from './live-stream.ts'
import { putOnShelf } from './shelves.ts'

const eventText = (event: JsonObject, number: number): string => kept.streams.text(event, number)

/** A client that loses its connection after so many events, and may leave what it is sent unread. */
class Client implements Outlet {
  readonly events: string[] = []
  readonly signal = new Cancellation()
  readonly #most: number
  readonly #drains = new Set<() => void>()
  status = 0
  hasBegun = false
  isOpen = true
  isFull = false
  /** It reads nothing of what it is sent until it is drained. */
  isSlow = false

  constructor(most = Infinity) {
    this.#most = most
  }

  head(status: number, _headers: OutgoingHttpHeaders): void {
    this.hasBegun = true
    this.status = status
  }

  write(bytes: Uint8Array | string): void {
    this.events.push(...(String(bytes).match(/[^]+?\n\n/g) ?? []).slice(0, this.#most - this.events.length))
    this.isFull = this.isSlow
    if (this.events.length >= this.#most) this.destroy()
  }

  end(bytes?: Uint8Array | string): void {
    if (bytes !== undefined && bytes.length > 0) this.write(bytes)
    this.isOpen = false
  }

  /** It reads again. */
  drain(): void {
    this.isSlow = false
    this.isFull = false
    for (const listener of this.#drains) listener()
  }

  onDrain(listener: () => void): void {
    this.#drains.add(listener)
  }

  offDrain(listener: () => void): void {
    this.#drains.delete(listener)
  }

  destroy(): void {
    this.isOpen = false
    this.signal.cancel(new Error('the client left'))
  }
}

interface Options {
  readonly segmentSize?: number
  readonly max_bytes?: number
  readonly ttl_ms?: number
}

/** A gateway that makes an answer event by event, as a call does. */
async function maker(state: StateStore, { segmentSize = 400, ...settings }: Options = {}) {
  const background = new BackgroundAnswers()
  const keeper = () => keeperOn(state, settings)
  const first = keeper()
  const id = `resp_${Math.random()}`
  const key = keyOf(first, 'response', id)
  const begun = { ...answer(id), response: { id, status: 'in_progress', background: true, output: [] } }
  await background.reserve(first, key)
  await beginAnswer(first, begun, true)
  await beginStream(first, key, [])
  await first.services.state.flush()
  const live = new LiveStream({ keeper, key, begun: [], gatherMs: 5, segmentSize })
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  let ended = (): void => {}
  const over = new Promise<void>((resolve) => (ended = resolve))
  background.start(
    keeper,
    key,
    async (signal) => {
      await Promise.race([finished, new Promise<void>((resolve) => signal.addEventListener('abort', resolve))])
      const last = keeper()
      await endAnswer(last, answer(id))
      await last.services.state.flush()
      await live.end()
      ended()
    },
    live,
  )
  return {
    background,
    keeper,
    key,
    id,
    live,
    finish,
    async [Symbol.asyncDispose]() {
      finish()
      await over
    },
    say: (words: string) => live.append(eventText({ type: 'response.output_text.delta', delta: words }, live.count)),
  }
}

type Maker = Awaited<ReturnType<typeof maker>>

/** Follows at a gateway: at the one that makes it, or at another one with the same state. */
async function follow(
  { key, id, ...made }: Maker,
  client: Client,
  { after = -1, at }: { after?: number; at?: StateStore | undefined } = {},
) {
  const keeper = at === undefined ? made.keeper : () => keeperOn(at)
  const background = at === undefined ? made.background : new BackgroundAnswers()
  const origin = { headers: {}, body: async () => Buffer.alloc(0), signal: client.signal, cancel: () => {}, outlet: client }
  await followStream({ background }, { keeper, kept, key, response: { id, status: 'in_progress' }, after }, origin)
  return client.events
}

/** Until what was said so far is where others find it. */
async function untilKept({ keeper, key, live }: Maker): Promise<void> {
  await until('what is kept', async () => {
    const { count, state } = (await findStream(keeper(), key)) ?? { count: 0, state: 'open' }
    return count >= live.count || state === 'cut' ? true : undefined
  })
}

const numbersOf = (events: readonly string[]): number[] => events.map((event) => Number(/"sequence_number":(\d+)/.exec(event)?.[1]))

describe.each(stateBackends)('a stream that is kept in $name', ({ make, isMissing }) => {
  test.skipIf(isMissing)('is the same put together from any parts, at any gateway, while it is made and after', async () => {
    await using shared = await make()
    const [here, there] = [await shared.open(), await shared.open()]
    // Without a way to hear of it, another gateway is no other.
    const elsewhere = here.listen === undefined ? undefined : there
    const words = fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { minLength: 1, maxLength: 40 })
    const parts = fc.array(fc.record({ most: fc.integer({ min: 1, max: 15 }), isElsewhere: fc.boolean() }), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(words, parts, fc.integer({ min: 100, max: 2000 }), async (said, lost, segmentSize) => {
        await using made = await maker(here, { segmentSize })
        const whole = follow(made, new Client())
        const events: string[] = []
        const reading = (async () => {
          for (const { most, isElsewhere } of [...lost, { most: Infinity, isElsewhere: true }]) {
            const at = isElsewhere ? elsewhere : undefined
            events.push(...(await follow(made, new Client(most), { after: events.length - 1, at })))
            if (events.at(-1)?.includes('response.completed') === true) break
          }
        })()
        for (const [at, text] of said.entries()) {
          made.say(text)
          if (at % 4 === 3) await nextTurn()
        }
        made.finish()
        await reading
        expect(events).toEqual(await whole)
        expect(numbersOf(events)).toEqual(events.map((_, at) => at))
        expect(events).toHaveLength(said.length + 1)
        expect(await follow(made, new Client(), { at: elsewhere })).toEqual(events)
      }),
      { numRuns: 12 },
    )
  })

  test.skipIf(isMissing)('waits for a client that reads slowly, for nobody else, and not in memory', async () => {
    await using shared = await make()
    await using made = await maker(await shared.open())
    const slow = new Client()
    slow.isSlow = true
    const followed = follow(made, slow)
    const quick = new Client()
    const followedQuickly = follow(made, quick)
    made.say('first')
    await until('the first event', () => (slow.events.length > 0 ? true : undefined))
    for (let at = 0; at < 60; at += 1) {
      made.say(`word ${at}`)
      if (at % 10 === 9) await untilKept(made)
    }
    await until('its beginning to leave memory', () => (made.live.from(0) === undefined ? true : undefined))
    await until('the others', () => (quick.events.length === 61 ? true : undefined))
    expect(slow.events).toHaveLength(1)
    slow.drain()
    made.finish()
    expect(await followed).toEqual(await followedQuickly)
  })

  test.skipIf(isMissing)('is sealed, and gone with its answer', async () => {
    await using shared = await make()
    const state = await shared.open()
    await using made = await maker(state)
    for (let at = 0; at < 30; at += 1) made.say('A secret.')
    made.finish()
    await follow(made, new Client())
    const segments = async () => {
      const { services } = made.keeper()
      return Promise.all([0, 1, 2].map(async (index) => services.state.get('events', `${made.key}|${index}`)))
    }
    const [first = ''] = await segments()
    expect(first.length).toBeGreaterThan(100)
    expect(Buffer.from(first, 'base64url').toString('latin1')).not.toContain('secret')
    const last = made.keeper()
    await forgetAnswer(last, made.key, topicOf(made.key))
    await last.services.state.flush()
    expect(await findStream(made.keeper(), made.key)).toBeUndefined()
    expect(await segments()).toEqual([undefined, undefined, undefined])
  })

  test.skipIf(isMissing)('is no longer kept when it is too large or was deleted, and told to its end all the same', async () => {
    await using shared = await make()
    const state = await shared.open()
    await using large = await maker(state, { max_bytes: 1500, segmentSize: 4000 })
    const followed = follow(large, new Client())
    const noise = (): string => Array.from({ length: 30 }, () => String.fromCodePoint(33 + Math.floor(Math.random() * 90))).join('')
    for (let at = 0; at < 100; at += 1) {
      large.say(noise())
      if (at % 10 === 9) await untilKept(large)
    }
    const mark = large.live.count
    large.finish()
    expect(await followed).toHaveLength(mark + 1)
    expect(await findStream(large.keeper(), large.key)).toMatchObject({ state: 'cut', firsts: [] })
    expect(await large.keeper().services.state.get('events', `${large.key}|0`)).toBeUndefined()
    await expect(follow(large, new Client())).rejects.toMatchObject({ code: 'response.not_streamed' })

    await using deleted = await maker(state)
    const left = follow(deleted, new Client())
    deleted.say('Before.')
    const call = deleted.keeper()
    await forgetAnswer(call, deleted.key, topicOf(deleted.key))
    await call.services.state.flush()
    deleted.background.cancel(deleted.key, undefined as never)
    expect((await left).at(-1)).toContain('response.not_found')
    expect(await findStream(deleted.keeper(), deleted.key)).toBeUndefined()
  })

  test.skipIf(isMissing)('falls off its caller’s shelf with its answer', async () => {
    await using shared = await make()
    const state = await shared.open()
    await using made = await maker(state)
    made.say('Before.')
    made.finish()
    await follow(made, new Client())
    const settings = { max_kept_bytes: 1_000_000 }
    for (let at = 0; at < 4; at += 1) {
      const keeper = keeperOn(state, settings)
      await putOnShelf(keeper, ownerOf(keeper), `other${at}`, 400_000)
      await keeper.services.state.flush()
    }
    expect(await findStream(made.keeper(), made.key)).toBeUndefined()
  })

  test.skipIf(isMissing)('whose maker is gone has failed, after what its client has seen', async () => {
    await using shared = await make()
    const state = await shared.open()
    await using made = await maker(state)
    for (const words of ['One.', 'Two.', 'Three.']) made.say(words)
    await untilKept(made)
    // Its process is killed: nobody says any more that it is made.
    await made.background.release(made.keeper(), made.key)
    const gone = { ...made, background: new BackgroundAnswers() }
    const all = await follow(gone, new Client())
    expect(numbersOf(all)).toEqual([0, 1, 2, 3])
    expect(all.at(-1)).toContain('response.interrupted')
    // Another client had seen more than was kept.
    expect(numbersOf(await follow(gone, new Client(), { after: 5 }))).toEqual([6])
    // It stood still, and goes on: what was told stays true.
    made.say('Four.')
    made.finish()
    await until('its end', () => (made.live.isEnded ? true : undefined))
    expect(await follow(gone, new Client())).toEqual(all)
    expect((await findByKey(made.keeper(), made.key))?.response).toMatchObject({
      status: 'failed',
      error: { code: 'response.interrupted' },
    })
  })

  test.skipIf(isMissing)('survives that its place cannot be used for a while', async () => {
    await using shared = await make()
    const state = await shared.open()
    await using made = await maker(state)
    let failures = 2
    const keeper = () => {
      const own = made.keeper()
      if (failures > 0) {
        failures -= 1
        throw new Error('the place is away')
      }
      return own
    }
    const live = new LiveStream({ keeper, key: made.key, begun: [], gatherMs: 1 })
    live.append(eventText({ type: 'response.output_text.delta', delta: 'One.' }, 0))
    await live.end()
    expect(await findStream(made.keeper(), made.key)).toMatchObject({ count: 1, state: 'whole' })
    made.finish()
  })

  test.skipIf(isMissing)('wakes who listens for it', async () => {
    await using shared = await make()
    const state = await shared.open()
    if (state.listen === undefined) return
    await using made = await maker(state)
    const heard = new Promise<void>((resolve) => state.listen?.(streamTopicOf(made.key), resolve))
    made.say('One.')
    await heard
    made.finish()
  })
})
