/** Files and batches of several processes at one address: whichever a connection comes to knows them, and a batch runs once. */
import OpenAI, { toFile } from 'openai'
import { expect, test } from 'vitest'
import { batchLines, beginBatch, chatLine, endedBatch } from '../harness/batches.ts'
import { startGateway } from '../harness/gateway-process.ts'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { say } from '../harness/model-answer.ts'
import { startVendor } from '../harness/vendor.ts'

test('files and batches are those of all processes of a gateway together', async () => {
  await using vendor = await startVendor((request) => say(request, { text: 'Yes.' }))
  const config = { ...governedConfig({ openai: vendor.url, anthropic: vendor.url }), workers: 2, batches: { at_once: 2 } }
  await using gateway = await startGateway({ config, env: secretEnv })
  // Each request on a connection of its own.
  const client = new OpenAI({
    apiKey: secrets.alice,
    baseURL: `${gateway.url}/v1`,
    maxRetries: 0,
    defaultHeaders: { connection: 'close' },
  })
  const { id } = await client.files.create({ file: await toFile(Buffer.from('Milk.'), 'list.txt'), purpose: 'user_data' })
  for (let at = 0; at < 8; at += 1) expect(await (await client.files.content(id)).text()).toBe('Milk.')

  const lines = Array.from({ length: 10 }, (_, at) => chatLine(`q${at}`))
  const batches = await Promise.all(Array.from({ length: 6 }, () => beginBatch(client, lines)))
  for (const batch of batches) {
    const ended = await endedBatch(client, batch.id)
    expect(ended.request_counts).toEqual({ total: 10, completed: 10, failed: 0 })
    expect(await batchLines(client, ended.output_file_id)).toHaveLength(10)
  }
  expect(vendor.requests).toHaveLength(60)
})
