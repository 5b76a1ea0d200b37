/**
 * The mail server of the demo: a real MCP server (official SDK, stdio, both protocol eras) over a folder.
 * `node mail-server.ts <folder>`; sent mail lands in `<folder>/sent.jsonl`.
 */
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

interface Message {
  readonly id: string
  readonly from: string
  readonly subject: string
  readonly body: string
}

const folder = process.argv[2] ?? '.'

function text(value: string): { content: { type: 'text'; text: string }[] } {
  return { content: [{ type: 'text', text: value }] }
}

async function inbox(): Promise<Message[]> {
  return JSON.parse(await readFile(join(folder, 'inbox.json'), 'utf8')) as Message[]
}

serveStdio(() => {
  const server = new McpServer({ name: 'mail', version: '1.0.0' }, { capabilities: { tools: {} } })
  server.registerTool('list_messages', { description: 'Lists the messages of the inbox.' }, async () => {
    const messages = await inbox()
    return text(messages.map(({ id, from, subject }) => `${id}  ${from}  ${subject}`).join('\n'))
  })
  server.registerTool('read_message', { description: 'Reads one message.', inputSchema: z.object({ id: z.string() }) }, async ({ id }) => {
    const message = (await inbox()).find((candidate) => candidate.id === id)
    if (message === undefined) return { ...text('There is no such message.'), isError: true }
    return text(`From: ${message.from}\nSubject: ${message.subject}\n\n${message.body}`)
  })
  server.registerTool(
    'send_message',
    { description: 'Sends a message.', inputSchema: z.object({ to: z.string(), subject: z.string(), body: z.string() }) },
    async (message) => {
      await appendFile(join(folder, 'sent.jsonl'), `${JSON.stringify(message)}\n`)
      return text('Sent.')
    },
  )
  server.registerTool(
    'delete_message',
    { description: 'Deletes a message for good.', inputSchema: z.object({ id: z.string() }) },
    async () => text('Deleted.'),
  )
  return server
})
