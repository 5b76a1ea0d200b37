/** `mcp-remote`, the bridge that hosts with nothing but stdio are given: the first SDK's client on one side, the endpoint on the other. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { installed } from '../upstream-servers.ts'
import type { McpClient } from './mcp-client.ts'
import { connectV1 } from './official-v1.ts'

/** With more of its options. */
export function mcpRemote(...args: readonly string[]): McpClient {
  return {
    name: ['mcp-remote', ...args].join(' '),
    // In the modern era it says that it gives up and goes on listening; what a server does ends when nobody listens.
    can: ['progress', 'elicitation', 'sampling', ...(args.includes('auto') ? [] : (['cancellation'] as const))],
    async connect(url, key, { headers = {}, answers } = {}) {
      const home = await mkdtemp(join(tmpdir(), 'turnward-mcp-remote-'))
      const address = args.includes('sse-only') ? `${url}/sse` : url
      const sent = Object.entries({ ...headers, authorization: 'Bearer ${KEY}' }).flatMap(([name, value]) => [
        '--header',
        `${name}:${value}`,
      ])
      const client = await connectV1(
        new StdioClientTransport({
          command: process.execPath,
          args: [installed('mcp-remote/dist/proxy.js'), address, ...sent, ...args],
          env: { PATH: process.env['PATH'] ?? '', HOME: home, MCP_REMOTE_CONFIG_DIR: home, KEY: key },
          stderr: 'ignore',
        }),
        answers,
      )
      return {
        ...client,
        async close() {
          await client.close()
          await rm(home, { recursive: true, force: true })
        },
      }
    },
  }
}
