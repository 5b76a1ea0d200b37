/** Each worker has children of its own, and they end with it. */
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { connectClient, textOf } from '../mcp/official-client.ts'
import { ada, startOffice } from '../mcp/office.ts'

/** Processes of the office server below this gateway, whatever they run in. */
function children(folder: string): readonly string[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  return lines.filter(
    (line) => line.includes('office.mjs') && line.includes(folder) && !line.includes('bwrap') && !line.includes('prlimit'),
  )
}

test('stdio servers run once for each worker, in the sandbox, and end with it', async () => {
  await using office = await startOffice({ workers: 2 })
  const { gateway } = office
  const calls = await Promise.all(
    Array.from({ length: 12 }, async () => {
      const client = await connectClient(gateway.url, ada)
      const text = textOf(await client.callTool({ name: 'office__read_news', arguments: {} }))
      await client.close()
      return text
    }),
  )
  expect(new Set(calls)).toEqual(new Set(['The cafeteria is open again.']))
  const folder = String(
    (JSON.parse(await readFile(gateway.configPath, 'utf8')) as { servers: { office: { command: string[] } } }).servers.office.command[2],
  )
  await until('a child for each worker', () => (children(folder).length >= 2 ? true : undefined))
  const before = children(folder).length
  const [first] = [...gateway.logs().matchAll(/"pid":(\d+)[^\n]*a worker answers requests|"worker":\d,"pid":(\d+)/g)].map((match) =>
    Number(match[1] ?? match[2]),
  )
  process.kill(first ?? 0, 'SIGKILL')
  await until('the worker to be replaced, with its child', () =>
    gateway.logs().split('a worker answers requests').length - 1 >= 3 ? true : undefined,
  )
  await until('no more children than before', () => (children(folder).length === before ? true : undefined))
  await gateway.stop()
  expect(children(folder)).toEqual([])
})
