/** Batches as a client of OpenAI's makes them: a file of lines, and what comes of it. */
import { type OpenAI, toFile } from 'openai'
import type { Json } from './json.ts'
import { until } from './until.ts'

/** A line that asks a question of its own. */
export function chatLine(customId: string, body: object = {}, model = 'gpt-test'): object {
  return {
    custom_id: customId,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model, messages: [{ role: 'user', content: `Question ${customId}.` }], ...body },
  }
}

/** Brings the lines and begins a batch of them. */
export async function beginBatch(
  client: OpenAI,
  lines: readonly (object | string)[],
  endpoint: OpenAI.BatchCreateParams['endpoint'] = '/v1/chat/completions',
): Promise<OpenAI.Batch> {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  const { id } = await client.files.create({ file: await toFile(Buffer.from(text), 'lines.jsonl'), purpose: 'batch' })
  return client.batches.create({ input_file_id: id, endpoint, completion_window: '24h', metadata: { of: 'test' } })
}

const running: readonly string[] = ['validating', 'in_progress', 'finalizing', 'cancelling']

/** The batch when it has ended, however. */
export function endedBatch(client: OpenAI, id: string): Promise<OpenAI.Batch> {
  return until('the end of the batch', async () => {
    const batch = await client.batches.retrieve(id)
    return running.includes(batch.status) ? undefined : batch
  })
}

/** The lines of a file of a batch; none when there is no file. */
export async function batchLines(client: OpenAI, file: string | undefined | null): Promise<Json[]> {
  if (typeof file !== 'string') return []
  const text = await (await client.files.content(file)).text()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Json)
}
