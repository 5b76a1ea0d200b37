/** Clients that others have written get in by themselves: the bridge for hosts with nothing but stdio, and the protocol's own inspector. A person signs in and allows them. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../../scripts/services/free-port.ts'
import { startSignInPlace, type SignInPlace } from '../callers/sign-in-place.ts'
import { repositoryRoot } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { ScriptedBrowser } from '../harness/scripted-browser.ts'
import { until } from '../harness/until.ts'
import { installed } from '../mcp/upstream-servers.ts'

let place: SignInPlace
let home: string

beforeAll(async () => {
  const clients = {
    desktop: { name: 'Desktop assistant', redirect_uris: ['http://127.0.0.1/oauth/callback', 'http://localhost/oauth/callback'] },
    device: { name: 'Terminal', grants: ['device_code', 'refresh_token'] },
    ci: { grant: 'client_credentials', secret: 'secret-of-the-client-ci-0123456789', principal: 'ci', auth: 'post' },
  }
  const parts = { principals: { ci: { kind: 'workload' } } }
  place = await startSignInPlace({ oauth: { registration: { dcr: true }, clients }, parts })
})
afterAll(() => place?.[Symbol.asyncDispose]())
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-clients-'))
  place.idp.signsIn('alice')
})
afterEach(() => rm(home, { recursive: true, force: true }))

/** Nothing that could open a browser. */
const environment = () => ({
  PATH: join(process.execPath, '..'),
  HOME: home,
  MCP_REMOTE_CONFIG_DIR: home,
  MCP_AUTO_OPEN_ENABLED: 'true',
  MCP_INSPECTOR_SECRET_STORE: 'file',
})
const addressIn = (text: string) => /http:\/\/127\.0\.0\.1:\d+\/oauth\/(?:authorize|device)\?\S+/.exec(text)?.[0]

/** Allows what is asked at an address, as a person in a browser; resolves with what the page said. */
async function allow(address: string, button = 'Allow'): Promise<string> {
  const browser = new ScriptedBrowser()
  await browser.open(address)
  if (new URL(address).pathname === '/oauth/device') {
    await browser.send('Go on')
    await browser.send('Go on', { confirm: 'yes' })
  }
  const { text } = browser.page
  await browser.send(button, { decision: button === 'Allow' ? 'allow' : 'deny' })
  return text
}

describe('mcp-remote', () => {
  /** Connects through the bridge; `said` is what it writes for its person. */
  function bridge(...args: readonly string[]) {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [installed('mcp-remote/dist/proxy.js'), `${place.url}/mcp/main`, ...args],
      env: environment(),
      stderr: 'pipe',
    })
    let said = ''
    transport.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const client = new Client({ name: 'host', version: '1.0.0' })
    return {
      client,
      connected: client.connect(transport, { timeout: 100_000 }),
      asked: () => until('mcp-remote to ask its person', () => Promise.resolve(addressIn(said))),
      said: () => said,
    }
  }

  async function greets({ client }: { readonly client: Client }): Promise<void> {
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['modern__greet'])
    expect(JSON.stringify(await client.callTool({ name: 'modern__greet', arguments: { name: 'Alice' } }))).toContain('hello Alice')
  }

  test('registers itself, and does not ask again the next time', async () => {
    const port = String(await freePort())
    const first = bridge(port)
    expect(await allow(await first.asked())).toContain('nobody has checked its name')
    await first.connected
    await greets(first)
    await first.client.close()
    const second = bridge(port)
    await second.connected
    await greets(second)
    expect(addressIn(second.said())).toBeUndefined()
    await second.client.close()
  })

  test('shows a code where there is no browser', async () => {
    const device = bridge('--device-code', '--static-oauth-client-info', JSON.stringify({ client_id: 'device' }))
    expect(await allow(await device.asked())).toContain('Allow Terminal?')
    await device.connected
    await greets(device)
    await device.client.close()
  })

  test('is a workload by its secret', async () => {
    const info = { client_id: 'ci', client_secret: 'secret-of-the-client-ci-0123456789', token_endpoint_auth_method: 'client_secret_post' }
    const workload = bridge('--client-credentials', '--static-oauth-client-info', JSON.stringify(info))
    await workload.connected
    await greets(workload)
    await workload.client.close()
  })
})

describe('the inspector', () => {
  interface Inspection {
    readonly asked: () => Promise<string>
    readonly done: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
  }

  async function inspect(...args: readonly string[]): Promise<Inspection> {
    const child = spawn(
      process.execPath,
      [
        join(repositoryRoot, 'node_modules/.bin/mcp-inspector'),
        ...['--cli', `${place.url}/mcp/main`, '--transport', 'http', '--format', 'json', '--method', 'tools/list'],
        ...['--callback-url', `http://127.0.0.1:${await freePort()}/oauth/callback`, ...args],
      ],
      { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    return {
      asked: () => until('the inspector to ask its person', () => Promise.resolve(addressIn(stderr + stdout))),
      done: new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr }))),
    }
  }

  const toolsIn = (stdout: string): readonly string[] => {
    const printed = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Json
    return ((printed['result'] ?? printed) as { readonly tools: readonly { readonly name: string }[] }).tools.map(({ name }) => name)
  }

  test.each([
    ['legacy', [], 'Allow MCP Inspector'],
    ['modern', ['--client-id', 'desktop'], 'Allow Desktop assistant?'],
  ])('lists the tools in era %s', async (era, args, title) => {
    const { asked, done } = await inspect('--protocol-era', era, ...args)
    expect(await allow(await asked())).toContain(title)
    const { code, stdout } = await done
    expect([code, toolsIn(stdout)]).toEqual([0, ['modern__greet']])
  })

  test('is told when its person does not allow it', async () => {
    const { asked, done } = await inspect('--client-id', 'desktop')
    await allow(await asked(), 'Do not allow')
    const { code, stdout, stderr } = await done
    expect(code).not.toBe(0)
    expect(stdout + stderr).toContain('the person did not allow it')
  })
})
