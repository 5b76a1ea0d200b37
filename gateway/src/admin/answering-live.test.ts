/** Whether somebody may go on following is asked again and again; who is not answered for does not go on. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import type { LiveFeed } from '../audit/live/live-feed.ts'
import { LiveCalls } from '../identity/live-calls.ts'
import type { Administrator } from './administrators.ts'
import { answerLive } from './answering-live.ts'

afterEach(() => void vi.useRealTimers())

const alice: Administrator = { id: 'alice', groups: [], roles: ['viewer'], isPerson: true, caller: undefined, form: 'f' }

test('a stream ends when nobody says whether it may go on, and nobody is asked twice at a time', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  let asked = 0
  const left: string[] = []
  const feed: LiveFeed = {
    async listen(person, _followed, outlet) {
      outlet.write('id: 0\n\n', () => {})
      return () => void left.push(person)
    },
  }
  const answered = Promise.withResolvers<void>()
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const who = (): Promise<Administrator> => {
      asked += 1
      // As of a database that takes connections and says nothing.
      return asked === 1 ? Promise.resolve(alice) : new Promise(() => {})
    }
    const ask = { administrator: alice, who, parameters: {}, query: { last: 0 }, body: undefined, request, response }
    answerLive({ feed, live: new LiveCalls() }, ask).then(answered.resolve, answered.reject)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/live`)
  const text = answer.text()
  await vi.advanceTimersByTimeAsync(5000)
  expect([asked, left]).toEqual([1, []])
  await vi.advanceTimersByTimeAsync(5000)
  expect([asked, left]).toEqual([2, []])
  await vi.advanceTimersByTimeAsync(5000)
  await answered.promise
  expect(await text).toMatch(/^id: 0\n\n:\n\nevent: end\ndata: .*"code":"store\.failed"/)
  expect([asked, left]).toEqual([2, ['alice']])
  server.close()
})
