/** What is asked of every client alike: that it can do what it can with any server, that it is kept from what it may not, and that it comes back. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FaultProxy } from '../../harness/fault-proxy.ts'
import { until } from '../../harness/until.ts'
import type { ConnectedClient, ConnectOptions, McpClient, ToolAnswer } from './mcp-client.ts'
import { ada, bob, startClientPlace, type ClientPlace } from './place.ts'

const elicits = 'every__trigger-elicitation-request'
const document = 'turnward://every/demo://resource/static/document/features.md'
const city = { location: 'Chicago' }
const weather = { temperature: 36, conditions: 'Light rain / drizzle', humidity: 82 }

/** Sessions are apart unless a test says that they are one. */
const inSession = (name: string = randomUUID()): ConnectOptions => ({ headers: { 'x-turnward-session': name } })

/** The tests of these clients, all in front of one place. */
export function describeClients(clients: readonly McpClient[]): void {
  let place: ClientPlace
  beforeAll(async () => {
    place = await startClientPlace()
  })
  afterAll(() => place?.[Symbol.asyncDispose]())

  describe.each(clients.map((client) => [client.name, client] as const))('%s', (_name, client) => {
    const can = (ability: McpClient['can'][number]): boolean => client.can.includes(ability)

    /** One connection of a person, for one piece of work. */
    async function as<T>(key: string, options: ConnectOptions, work: (connected: ConnectedClient) => Promise<T>): Promise<T> {
      const connected = await client.connect(`${place.gateway().url}/mcp/main`, key, options)
      try {
        return await work(connected)
      } finally {
        await connected.close()
      }
    }

    test('lists the tools of every server, and of those only what is granted', async () => {
      const all = await as(ada, inSession(), (own) => own.tools())
      expect(all).toEqual(expect.arrayContaining(['every__echo', 'everyhttp__echo', 'modern__greet']))
      const few = await as(bob, inSession(), (own) => own.tools())
      expect(few.toSorted()).toEqual(
        ['every__echo', 'every__get-sum', ...(all.includes('every__trigger-elicitation-request') ? [elicits] : [])].toSorted(),
      )
    })

    test('gets text, structured content, images, embedded and linked resources', async () => {
      await as(ada, inSession(), async (own) => {
        expect(await own.call('every__echo', { message: 'Grüße 👋' })).toMatchObject({ text: 'Echo: Grüße 👋', failed: false })
        expect((await own.call('modern__greet', { name: 'Ada' })).text).toBe('hello Ada')
        for (const server of ['every', 'everyhttp']) {
          expect((await own.call(`${server}__get-structured-content`, city)).structured, server).toEqual(weather)
          const [image, ...more] = (await own.call(`${server}__get-tiny-image`, {})).images
          expect(more).toEqual([])
          expect(image?.mimeType).toBe('image/png')
          expect(
            Buffer.from(image?.data ?? '', 'base64')
              .subarray(1, 4)
              .toString(),
          ).toBe('PNG')
        }
        const embedded = await own.call('every__get-resource-reference', { resourceType: 'Text', resourceId: 3 })
        expect(embedded.uris).toEqual(['turnward://every/demo://resource/dynamic/text/3'])
      })
    })

    test('is told by the tool itself what went wrong', async () => {
      await as(ada, inSession(), async (own) => {
        const answer = await own.call('every__get-resource-reference', { resourceType: 'Text', resourceId: -1 })
        expect(answer.failed).toBe(true)
        expect(answer.text).toContain('Invalid resourceId: -1')
      })
    })

    test('reads a resource and gets a prompt', async () => {
      await as(ada, inSession(), async (own) => {
        expect(await own.resources()).toContain(document)
        expect(await own.read(document)).toContain('# Everything Server')
        expect(await own.prompts()).toEqual(expect.arrayContaining(['every__args-prompt', 'everyhttp__simple-prompt']))
        expect(await own.prompt('every__args-prompt', { city: 'Zürich' })).toContain('Zürich')
      })
    })

    test
      .runIf(can('progress'))
      .each([
        ['every__trigger-long-running-operation', { duration: 0.3, steps: 3 }],
        ['everyhttp__trigger-long-running-operation', { duration: 0.3, steps: 3 }],
        ...(can('progress at once') ? [['modern__counted', {}] as const] : []),
      ] as const)('is told the progress of %s', async (tool, args) => {
      await as(ada, inSession(), async (own) => {
        const told = async (): Promise<number[]> => {
          const seen: number[] = []
          await own.call(tool, args, { onProgress: (progress) => seen.push(progress) })
          return seen
        }
        if (can('progress at once')) return expect(await told()).toEqual([1, 2, 3])
        // The last of it comes with the result; on a busy machine all of it does.
        const seen = await until('progress', async () => told().then((some) => (some.length > 0 ? some : undefined)))
        return expect([1, 2, 3].slice(0, seen.length)).toEqual(seen)
      })
    })

    test.runIf(can('cancellation'))('cancels a call all the way to the server, and goes on', async () => {
      await as(ada, inSession(), async (own) => {
        const before = { ...place.modern.calls }
        const stop = new AbortController()
        const ended = expect(own.call('modern__forever', {}, { signal: stop.signal })).rejects.toThrow()
        await expect.poll(() => place.modern.calls.started).toBe(before.started + 1)
        stop.abort()
        await ended
        await expect.poll(() => place.modern.calls.cancelled).toBe(before.cancelled + 1)
        expect((await own.call('modern__greet', { name: 'Bob' })).text).toBe('hello Bob')
      })
    })

    test.runIf(can('elicitation')).each(['every', 'everyhttp'])('is asked by %s for the words of a person', async (server) => {
      await as(ada, { ...inSession(), answers: { elicitation: { name: 'Countess Lovelace' } } }, async (own) => {
        expect((await own.call(`${server}__trigger-elicitation-request`, {})).text).toContain('Countess Lovelace')
      })
    })

    test.runIf(can('sampling')).each(['every', 'everyhttp'])('is asked by %s for its model', async (server) => {
      await as(ada, { ...inSession(), answers: { sampling: 'A poem.' } }, async (own) => {
        const { text } = await own.call(`${server}__trigger-sampling-request`, { prompt: 'Write a poem', maxTokens: 20 })
        expect(text).toContain('A poem.')
      })
    })

    test('is told of what is not granted as of what is not there', async () => {
      await as(bob, inSession(), async (own) => {
        const answer = async (tool: string): Promise<string> => {
          const said: ToolAnswer | Error = await own.call(tool, {}).catch((error: unknown) => error as Error)
          return (said instanceof Error ? said.message : said.text).replaceAll(tool, 'NAME')
        }
        const ungranted = await answer('every__get-env')
        expect(ungranted).toContain('Unknown tool: NAME')
        expect(await answer('every__get-nothing')).toBe(ungranted)
        expect(await answer('nobody__get-nothing')).toBe(ungranted)
        expect(await own.resources()).toEqual([])
        expect(await own.prompts()).toEqual([])
        await expect(own.read(document)).rejects.toThrow()
      })
    })

    test('never gets what another person asked for', async () => {
      await as(ada, inSession(), (one) =>
        as(bob, inSession(), async (other) => {
          const said = await Promise.all(
            Array.from({ length: 20 }, async (_, index) => {
              const [who, own] = index % 2 === 0 ? (['ada', one] as const) : (['bob', other] as const)
              return (await own.call('every__echo', { message: `${who} ${index}` })).text
            }),
          )
          expect(said).toEqual(said.map((_, index) => `Echo: ${index % 2 === 0 ? 'ada' : 'bob'} ${index}`))
        }),
      )
    })

    test('is held to what it has read, also when it comes back, and nobody else is', async () => {
      const session = inSession()
      const sum = (own: ConnectedClient): Promise<ToolAnswer> => own.call('every__get-sum', { a: 2, b: 3 })
      await as(ada, session, async (own) => {
        expect((await sum(own)).text).toContain('is 5')
        await own.call('every__get-annotated-message', { messageType: 'success' })
        expect(await sum(own)).toMatchObject({ text: expect.stringContaining('not run: '), failed: true })
      })
      await as(bob, session, async (own) => expect((await sum(own)).text).toContain('is 5'))
      await as(ada, inSession(), async (own) => expect((await sum(own)).text).toContain('is 5'))
      await as(ada, session, async (own) => expect((await own.tools()).includes('every__get-sum')).toBe(false))
    })

    // The person tries again until it goes; what needs a new client does not come back.
    const again = <T>(what: string, work: () => Promise<T>): Promise<T> => until(what, () => work().catch(() => undefined))

    test('goes on when its connections break, and when the gateway comes back', async () => {
      const url = place.gateway().url
      await using network = await FaultProxy.to(Number(new URL(url).port))
      const own = await client.connect(`${network.through(url)}mcp/main`, ada, inSession())
      const echo = async (message: string): Promise<string> => (await own.call('every__echo', { message })).text
      try {
        expect(await echo('before')).toBe('Echo: before')
        network.cut()
        expect(await again('an answer on another connection', () => echo('cut'))).toBe('Echo: cut')
        await place.restart()
        expect(await again('an answer of the new process', () => echo('restarted'))).toBe('Echo: restarted')
      } finally {
        await own.close()
      }
    })
  })
}
