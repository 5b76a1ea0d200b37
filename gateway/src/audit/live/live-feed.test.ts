/** Who follows a log gets every record that matches once, whatever comes between, or is told what does not come. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { type LogBackend, logBackends, type TestLog } from '../log-backends.fixture.ts'
import type { LogPlace } from '../log-place.ts'
import { openDecisionLog, type OpenDecisionLog } from '../log-writer.ts'
import { decision } from '../records.fixture.ts'
import { Followers } from './followers.ts'
import { KeepingOutlet, readEvents } from './live-events.fixture.ts'
import { LiveFeedThread, mostListeners, mostOfPerson } from './live-feed.ts'
import type { Followed } from './live-protocol.ts'
import { positionIn } from './log-position.ts'
import { openSource } from './log-source.ts'

const options = { timeout: 20_000, interval: 20 }
const present = logBackends.filter(({ isMissing }) => !isMissing)

function opened(place: LogPlace): Promise<OpenDecisionLog> {
  return openDecisionLog({ place, checkpointRecords: 1000, checkpointMs: 60_000, logger: silentLogger })
}

async function write(log: OpenDecisionLog, count: number, parts: Partial<DecisionRecord> = {}): Promise<string[]> {
  const records = Array.from({ length: count }, () => decision(parts))
  for (const record of records.slice(0, -1)) log.append(record)
  await log.appendDurably(records.at(-1) ?? decision())
  return records.map(({ id }) => id)
}

describe.each(present)('a log in $name that is followed', (backend: LogBackend) => {
  let kept: TestLog
  let log: OpenDecisionLog
  let feed: LiveFeedThread
  beforeEach(async () => {
    kept = await backend.make()
    log = await opened(kept.place)
    feed = new LiveFeedThread(kept.place)
  })
  afterEach(async () => {
    await feed.close()
    await log.close()
    await kept[Symbol.asyncDispose]()
  })

  const follow = async (followed: Partial<Followed> = {}): Promise<KeepingOutlet & { leave(): void }> => {
    const outlet = new KeepingOutlet()
    const leave = await feed.listen('alice', { filter: {}, last: 0, ...followed }, outlet)
    return Object.assign(outlet, { leave })
  }
  const from = ({ events }: KeepingOutlet) => positionIn(events.id ?? '')

  test('gives what is written from then on, in its order, to each what matches', async () => {
    await write(log, 3)
    const [all, refused] = [await follow(), await follow({ filter: { action: 'refuse', principal: 'bob' } })]
    const first = await write(log, 20)
    const second = await write(log, 20, { action: 'refuse', principal: 'bob', reason: 'Ünlucky\nline' })
    await write(log, 1, { action: 'refuse' })
    await vi.waitFor(() => expect(all.events.records).toHaveLength(41), options)
    expect(all.events.records.slice(0, 40)).toEqual([...first, ...second])
    expect(refused.events).toMatchObject({ records: second, gaps: [] })
  })

  test('gives a record in the text it has in the log', async () => {
    const one = await follow()
    await write(log, 1, { reason: 'é "quoted" \u2028\r\n' })
    await vi.waitFor(() => expect(one.events.records).toHaveLength(1), options)
    const [row] = await kept.change('SELECT hash, record FROM records')
    expect(one.text).toContain(`"hash":"${String(row?.['hash'])}","record":${String(row?.['record'])}}`)
  })

  test('begins with earlier ones where that is asked for', async () => {
    const before = await write(log, 8)
    await write(log, 3, { principal: 'bob' })
    const one = await follow({ filter: { principal: 'alice' }, last: 5 })
    const after = await write(log, 1)
    await vi.waitFor(() => expect(one.events.records).toEqual([...before.slice(-5), ...after]), options)
  })

  test('goes on after an id: nothing is lost and nothing comes twice, at this process or another, before and after a restart', async () => {
    const one = await follow()
    const seen = await write(log, 7)
    await vi.waitFor(() => expect(one.events.records).toEqual(seen), options)
    one.leave()
    const missed = await write(log, 1200)
    await log.close()
    log = await opened(kept.place)
    missed.push(...(await write(log, 5)))
    const other = new LiveFeedThread(kept.place)
    const outlet = new KeepingOutlet()
    await other.listen('alice', { filter: {}, last: 50, from: from(one) }, outlet)
    const then = await write(log, 3)
    await vi.waitFor(() => expect(outlet.events.records).toHaveLength(1208), options)
    expect(outlet.events).toMatchObject({ records: [...missed, ...then], gaps: [] })
    await other.close()
  })

  test('each id in between goes on right behind what came with it', async () => {
    const start = await follow()
    const place = from(start)
    const ids = await write(log, 1300)
    const all = await follow({ from: place })
    await vi.waitFor(() => expect(all.events.records).toHaveLength(1300), options)
    const blocks = all.text.split('\n\n').map((block) => `${block}\n\n`)
    const middle = blocks.slice(0, 2).join('')
    const rest = await follow({ from: positionIn(readEvents(middle).id ?? '') })
    const before = readEvents(middle).records
    expect([before.length > 0, before.length < 1300]).toEqual([true, true])
    await vi.waitFor(() => expect([...before, ...rest.events.records]).toEqual(ids), options)
  })

  test('one who does not take what comes holds nobody up, and is read up for', async () => {
    const [slow, quick] = [await follow(), await follow()]
    slow.isHolding = true
    const ids = await write(log, 2)
    await vi.waitFor(() => expect(quick.events.records).toHaveLength(2), options)
    ids.push(...(await write(log, 700)))
    await vi.waitFor(() => expect(quick.events.records).toHaveLength(702), options)
    expect(slow.events.records.length).toBeLessThan(3)
    slow.release()
    await vi.waitFor(() => expect(slow.events.records).toHaveLength(702), options)
    expect(slow.events).toMatchObject({ records: ids, gaps: [] })
  })

  test('an id of another log, or of a place that this one has not got to, is a gap of unknown size', async () => {
    await write(log, 3)
    const { log: name, lastWriter } = from(await follow())
    for (const place of [
      { log: 'ffffffff', lastWriter: 0, seen: new Map() },
      { log: name, lastWriter, seen: new Map([[lastWriter, 500]]) },
    ]) {
      const one = await follow({ from: place })
      const after = await write(log, 2)
      await vi.waitFor(() => expect(one.events.records).toEqual(after), options)
      expect(one.events.gaps).toEqual([{ reason: 'other_log', count: null, writers: [] }])
    }
  })

  test('says what is missing and what cannot be read, and goes on', async () => {
    const one = await follow()
    one.leave()
    const ids = await write(log, 6)
    await kept.change("DELETE FROM records WHERE seq IN (2, 3); UPDATE records SET record = '{}' WHERE seq = 5; SELECT 1")
    const again = await follow({ from: from(one) })
    const writer = from(one).lastWriter
    await vi.waitFor(() => expect(again.events.records).toEqual([ids[0], ids[3], ids[5]]), options)
    expect(again.events.gaps).toEqual([
      { reason: 'missing', count: 2, writers: [{ writer, from: 2, to: 3 }] },
      { reason: 'unreadable', count: 1, writers: [{ writer, from: 5, to: 5 }] },
    ])
  })

  test('earlier ones that cannot be read keep nobody from what comes', async () => {
    const one = await follow()
    await write(log, 2)
    await vi.waitFor(() => expect(one.events.records).toHaveLength(2), options)
    await kept.change("UPDATE records SET record = '{}' WHERE seq = 1; SELECT 1")
    const other = await follow({ last: 5 })
    const after = await write(log, 1)
    await vi.waitFor(() => expect(other.events).toMatchObject({ records: after, gaps: [{ reason: 'unreadable', count: null }] }), options)
    await vi.waitFor(() => expect(one.events.records).toHaveLength(3), options)
    expect(one.error).toBeUndefined()
  })

  test('whoever is too far behind is told how much is left out, and goes on at the end', async () => {
    const source = await openSource(kept.place)
    let text = ''
    const send = (listener: number, more: string): void => {
      text += more
      followers.ready(listener)
    }
    const followers = new Followers({ place: kept.place, source, send, behind: 10 })
    await followers.join(1, { filter: {}, last: 0 })
    followers.ready(1)
    await write(log, 11)
    await followers.step()
    const after = await write(log, 10)
    await followers.step()
    const { lastWriter: writer } = positionIn(readEvents(text).id ?? '')
    expect(readEvents(text)).toMatchObject({
      records: after,
      gaps: [{ reason: 'behind', count: 11, writers: [{ writer, from: 1, to: 11 }] }],
    })
    await source.close()
  })

  test('a bounded number may follow, and of one person', async () => {
    const listen = (person: string) =>
      feed.listen(person, { filter: {}, last: 0 }, new KeepingOutlet()).then(
        (leave) => leave,
        (error: unknown) => (error as { code: string }).code,
      )
    const all = await Promise.all(Array.from({ length: mostListeners + 1 }, (_, index) => listen(`p${Math.floor(index / mostOfPerson)}`)))
    expect(all.filter((one) => typeof one === 'string')).toEqual(['audit.busy'])
    const [leave] = all
    if (typeof leave === 'function') leave()
    expect(await listen('p1')).toBe('audit.busy')
    expect(await listen('p0')).toBeTypeOf('function')
  })

  test('who follows is told when the gateway stops, and nobody may come any more', async () => {
    const one = await follow()
    await feed.close()
    expect(one.error?.code).toBe('gateway.draining')
    await expect(follow()).rejects.toMatchObject({ code: 'gateway.draining' })
  })

  test('the thread is let go when nobody follows, and starts again', async () => {
    const brief = new LiveFeedThread(kept.place, 0)
    for (const _ of [1, 2]) {
      const outlet = new KeepingOutlet()
      const leave = await brief.listen('alice', { filter: {}, last: 0 }, outlet)
      const ids = await write(log, 1)
      await vi.waitFor(() => expect(outlet.events.records).toEqual(ids), options)
      leave()
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
    await brief.close()
  })
})

test.skipIf(!present.some(({ chainPerWriter }) => chainPerWriter))(
  'records of several writers come once each, of those that begin and end meanwhile as well',
  async () => {
    const kept = await (present.find(({ chainPerWriter }) => chainPerWriter) as LogBackend).make()
    const place = (worker: number): LogPlace => ({ ...kept.place, worker }) as LogPlace
    const first = await opened(place(0))
    const feed = new LiveFeedThread(kept.place)
    const one = new KeepingOutlet()
    const leave = await feed.listen('alice', { filter: {}, last: 0 }, one)
    const ids = await write(first, 10)
    const second = await opened(place(1))
    ids.push(...(await write(second, 10, { time: 5 })))
    await vi.waitFor(() => expect(one.events.records).toHaveLength(20), options)
    leave()
    const missed = await write(second, 4)
    await second.close()
    const third = await opened(place(2))
    missed.push(...(await write(third, 4)))
    await third.close()
    missed.push(...(await write(first, 4)))
    const again = new KeepingOutlet()
    await feed.listen('alice', { filter: {}, last: 0, from: positionIn(one.events.id ?? '') }, again)
    await vi.waitFor(() => expect(again.events.records).toHaveLength(12), options)
    const after = await write(first, 1)
    await vi.waitFor(() => expect(again.events.records).toHaveLength(13), options)
    expect([...one.events.records, ...again.events.records].sort()).toEqual([...ids, ...missed, ...after].sort())
    expect(again.events.gaps).toEqual([])
    await feed.close()
    await first.close()
    await kept[Symbol.asyncDispose]()
  },
)
