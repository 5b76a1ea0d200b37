/** Files and batches of two replicas: whichever is asked knows them, one of them works on a batch, and the other one goes on when that is gone. */
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { batchLines, beginBatch, chatLine, endedBatch } from '../harness/batches.ts'
import type { RunningGateway } from '../harness/gateway-process.ts'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { say } from '../harness/model-answer.ts'
import { hasServices, makePlaces, startReplicas, type Replicas } from '../harness/replicas.ts'
import { startVendor, type Vendor, type VendorRequest } from '../harness/vendor.ts'

describe.skipIf(!hasServices)('files and batches of two replicas', () => {
  let vendor: Vendor
  let replicas: Replicas
  let a: OpenAI
  let b: OpenAI

  beforeAll(async () => {
    vendor = await startVendor()
    const config = { ...governedConfig({ openai: vendor.url, anthropic: vendor.url }), batches: { at_once: 2 } }
    replicas = await startReplicas(['a', 'b'], { config, env: secretEnv, places: await makePlaces() })
    const [first, second] = (replicas.gateways as [RunningGateway, RunningGateway]).map(
      ({ url }) => new OpenAI({ apiKey: secrets.alice, baseURL: `${url}/v1`, maxRetries: 0 }),
    )
    a = first as OpenAI
    b = second as OpenAI
  })
  afterAll(async () => {
    await replicas?.[Symbol.asyncDispose]()
    await vendor?.close()
  })

  const metricsOf = async (url: string): Promise<string> => (await fetch(`${url}/metrics`)).text()
  const askedOf = ({ bytes }: VendorRequest): string => /Question ([\w-]+)/.exec(bytes.toString())?.[1] ?? ''

  test('what one keeps, the other shows, reads and deletes', async () => {
    vendor.respond((request) => say(request, { text: 'Read.' }))
    const content = Buffer.alloc(700_000, 'Milk. ')
    const { id } = await a.files.create({ file: await toFile(content, 'list.txt'), purpose: 'user_data' })
    expect(Buffer.from(await (await b.files.content(id)).arrayBuffer()).equals(content)).toBe(true)
    const file = { type: 'file' as const, file: { file_id: id } }
    await b.chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content: [file] }] })
    expect(vendor.last().bytes.includes(content.toString('base64'))).toBe(true)
    await b.files.delete(id)
    await expect(a.files.retrieve(id)).rejects.toMatchObject({ status: 404 })
  })

  test('a batch runs once, whoever looks, and is cancelled at either', async () => {
    vendor.respond((request) => say(request, { text: 'Yes.' }))
    const before = vendor.requests.length
    const ids = Array.from({ length: 12 }, (_, at) => `q${at}`)
    const batches = await Promise.all(
      [a, b, a].map((client) =>
        beginBatch(
          client,
          ids.map((id) => chatLine(id)),
        ),
      ),
    )
    for (const { id } of batches) expect((await endedBatch(b, id)).request_counts).toEqual({ total: 12, completed: 12, failed: 0 })
    expect(vendor.requests.slice(before).map(askedOf).sort()).toEqual([...ids, ...ids, ...ids].sort())

    vendor.respond(() => new Promise(() => {}))
    const seen = vendor.requests.length
    const { id } = await beginBatch(a, [chatLine('hangs')])
    await vendor.received(seen + 1)
    await b.batches.cancel(id)
    expect(await vendor.last().ended).toBe('left')
    expect((await endedBatch(b, id)).status).toBe('cancelled')
  })

  test('the other one goes on when the one that works on it is killed, with what nothing has come of', async () => {
    let isHolding = true
    vendor.respond((request) => (isHolding && askedOf(request) !== 'done' ? new Promise(() => {}) : say(request, { text: 'Yes.' })))
    const before = vendor.requests.length
    const batch = await beginBatch(
      a,
      ['done', 'held', 'held-too', 'last'].map((id) => chatLine(id)),
    )
    await vendor.received(before + 3)
    isHolding = false
    const working = await Promise.all(replicas.gateways.map(async ({ url }) => /^turnward_batches 1$/m.test(await metricsOf(url))))
    expect(working.filter(Boolean)).toHaveLength(1)
    const at = working.indexOf(true)
    replicas.gateways[at]?.signal('SIGKILL')
    const other = at === 0 ? b : a
    const ended = await endedBatch(other, batch.id)
    expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 4, completed: 4, failed: 0 } })
    expect((await batchLines(other, ended.output_file_id)).map((line) => line.custom_id)).toEqual(['done', 'held', 'held-too', 'last'])
    expect(vendor.requests.slice(before).map(askedOf).sort()).toEqual(['done', 'held', 'held', 'held-too', 'held-too', 'last'])
  })
})
