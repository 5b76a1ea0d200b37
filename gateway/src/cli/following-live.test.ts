/** `/api/live`: who may follow what, until when, and how it is gone on from. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readEvents } from '../audit/live/live-events.fixture.ts'
import { LiveFeedThread, mostOfPerson } from '../audit/live/live-feed.ts'
import { logBackends, type TestLog } from '../audit/log-backends.fixture.ts'
import { openDecisionLog, type OpenDecisionLog } from '../audit/log-writer.ts'
import { decision } from '../audit/records.fixture.ts'
import { TurnwardError } from '../core/error.ts'
import { silentLogger } from '../core/logger.ts'
import { LiveCalls } from '../identity/live-calls.ts'
import { peopleOfTheFile } from '../identity/people/people.fixture.ts'
import { openApi, type TestApi } from './api.fixture.ts'

const options = { timeout: 20_000, interval: 20 }

describe.each(logBackends.filter(({ isMissing }) => !isMissing))('the live feed of a log in $name', (backend) => {
  let kept: TestLog
  let log: OpenDecisionLog
  let feed: LiveFeedThread
  let api: TestApi
  let live: LiveCalls
  let roles: readonly string[] | undefined
  beforeEach(async () => {
    // The rounds in which it is looked whether somebody still may.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    kept = await backend.make()
    log = await openDecisionLog({ place: kept.place, checkpointRecords: 1000, checkpointMs: 60_000, logger: silentLogger })
    feed = new LiveFeedThread(kept.place)
    live = new LiveCalls()
    roles = undefined
    const people = {
      ...peopleOfTheFile,
      roles: async (...asked: Parameters<typeof peopleOfTheFile.roles>) => (roles as never) ?? peopleOfTheFile.roles(...asked),
    }
    api = await openApi({ log, services: { feed, live, people } })
  })
  afterEach(async () => {
    vi.useRealTimers()
    await feed.close()
    await api[Symbol.asyncDispose]()
    await log.close()
    await kept[Symbol.asyncDispose]()
  })

  const follow = async (who: 'viewer' | 'alice' | 'bob', query = '', headers: Record<string, string> = {}) => {
    const answer = await fetch(`${api.origin}/api/live${query}`, { headers: { ...api.headersOf(who), ...headers } })
    const followed = { answer, text: '', isOver: false }
    const read = async (): Promise<void> => {
      if (answer.body === null) return
      const decoder = new TextDecoder()
      for await (const bytes of answer.body) followed.text += decoder.decode(bytes as Uint8Array, { stream: true })
      followed.isOver = true
    }
    read().catch(() => (followed.isOver = true))
    return followed
  }
  const write = async (...all: readonly Parameters<typeof decision>[0][]): Promise<string[]> => {
    const records = all.map((parts) => decision(parts))
    await Promise.all(records.map((record) => log.appendDurably(record)))
    return records.map(({ id }) => id)
  }
  const recordsOf = ({ text }: { text: string }) => readEvents(text).records

  test('is a stream for nobody’s cache, of everything for whoever has a role and of their own for everybody else', async () => {
    const [viewer, alice, bob] = [await follow('viewer'), await follow('alice'), await follow('bob', '?principal=bob')]
    expect([viewer.answer.status, viewer.answer.headers.get('content-type'), viewer.answer.headers.get('cache-control')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'no-store',
    ])
    const ids = await write({ principal: 'alice' }, { principal: 'bob' }, { principal: 'carol' })
    await vi.waitFor(() => expect([viewer, alice, bob].map(recordsOf)).toEqual([ids, [ids[0]], [ids[1]]]), options)
    expect((await follow('alice', '?principal=bob')).answer.status).toBe(403)
  })

  test('is filtered like the list of records', async () => {
    const filters = [
      'action=refuse',
      'verdict=deny',
      'tool=mail__send',
      'model=m',
      'principal=bob',
      'agent=bot',
      'session=ses_2',
      'turn=turn_2',
      'q=UNlucky',
    ]
    const parts = [
      { action: 'refuse' },
      { verdict: 'deny' },
      {},
      { kind: 'model_call', subject: 'm' },
      { principal: 'bob' },
      { actor: 'bot' },
      { session: 'ses_2' },
      { turn: 'turn_2' },
      { reason: 'unlucky' },
    ] as const
    const only = parts.map((one) => ({ subject: 'x__y', ...one, ...(Object.keys(one).length === 0 ? { subject: 'mail__send' } : {}) }))
    const all: Awaited<ReturnType<typeof follow>>[] = []
    for (const filter of filters.slice(0, mostOfPerson)) all.push(await follow('viewer', `?${filter}`))
    const ids = await write(...only)
    await vi.waitFor(() => expect(all.map(recordsOf)).toEqual(ids.slice(0, mostOfPerson).map((id) => [id])), options)
    const more = await follow('viewer', '?q=UNlucky&last=5')
    expect([more.answer.status, more.answer.headers.get('retry-after')]).toEqual([503, '5'])
    expect((await follow('viewer', '?from=2026')).answer.status).toBe(400)
    const another = await follow('bob', '?last=5')
    await vi.waitFor(() => expect(recordsOf(another)).toEqual([ids[4]]), options)
  })

  test('goes on after `Last-Event-ID`, and takes no other', async () => {
    const one = await follow('viewer')
    const seen = await write({}, {})
    await vi.waitFor(() => expect(recordsOf(one)).toEqual(seen), options)
    const missed = await write({}, {}, {})
    const again = await follow('viewer', '', { 'last-event-id': readEvents(one.text).id ?? '' })
    await vi.waitFor(() => expect(recordsOf(again)).toEqual(missed), options)
    expect((await follow('viewer', '', { 'last-event-id': '17' })).answer.status).toBe(400)
  })

  test('says while nothing comes that it goes on', async () => {
    const one = await follow('viewer')
    await vi.advanceTimersByTimeAsync(5000)
    await vi.waitFor(() => expect(one.text).toMatch(/\n\n:\n\n$/), options)
  })

  test('ends when what somebody may see has changed, and when they are shut out', async () => {
    const [viewer, alice] = [await follow('viewer'), await follow('alice')]
    live.cutPerson('alice', new TurnwardError('auth.disabled'))
    await vi.waitFor(() => expect(alice.isOver), options)
    await vi.waitFor(() => expect(readEvents(alice.text).ends).toEqual(['auth.disabled']), options)
    roles = []
    await vi.advanceTimersByTimeAsync(5000)
    await vi.waitFor(() => expect(readEvents(viewer.text).ends).toEqual(['auth.role']), options)
    await write({ principal: 'viewer' })
    await vi.waitFor(() => expect([viewer.isOver, recordsOf(viewer)]).toEqual([true, []]), options)
    expect(feed.size).toBe(0)
  })

  test('ends when the gateway stops, and is refused from then on', async () => {
    const one = await follow('viewer')
    await feed.close()
    await vi.waitFor(() => expect([one.isOver, readEvents(one.text).ends]).toEqual([true, ['gateway.draining']]), options)
    expect((await follow('viewer')).answer.status).toBe(503)
  })

  test('is given up when the client goes', async () => {
    const stop = new AbortController()
    await fetch(`${api.origin}/api/live`, { headers: api.headersOf('viewer'), signal: stop.signal })
    expect(feed.size).toBe(1)
    stop.abort()
    await vi.waitFor(() => expect(feed.size).toBe(0), options)
  })
})
