import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { consoleEntrances } from '../admin/console-files.ts'
import { EntranceTable } from './entrance-table.ts'
import { answerPlainError } from './plain-errors.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function open() {
  const outer = mkdtempSync(join(tmpdir(), 'console-'))
  const folder = join(outer, 'console')
  writeFileSync(join(outer, 'secret.js'), 'secret')
  const table = new EntranceTable(consoleEntrances(folder))
  const server = createServer((request, response) => {
    const found = table.find(request.url ?? '')
    void Promise.resolve(found?.entrance.handle(request, response, found.parameter)).catch((error: unknown) =>
      answerPlainError(request, response, error),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.close()
    rmSync(outer, { recursive: true })
  })
  const { port } = server.address() as AddressInfo
  return {
    build: () => {
      mkdirSync(join(folder, 'assets'), { recursive: true })
      writeFileSync(join(folder, 'index.html'), '<p>the page</p>')
      writeFileSync(join(folder, 'assets/main-1a2b.js'), 'run()')
    },
    buildAgain: () => {
      rmSync(join(folder, 'assets/main-1a2b.js'))
      writeFileSync(join(folder, 'assets/main-3c4d.js'), 'run again()')
    },
    ask: (path: string, headers: Record<string, string> = {}) => asWritten(port, path, headers),
  }
}

interface Answered {
  readonly status: number | undefined
  readonly headers: Headers
  readonly text: string
}

/** `fetch` would settle the dots of a path first, and say of itself that it opens no page. */
function asWritten(port: number, path: string, headers: Record<string, string>): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          headers: new Headers(response.headers as Record<string, string>),
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      )
    })
    request.on('error', reject)
  })
}

const navigation = { accept: 'text/html,*/*' }

describe('the console', () => {
  test('says how to build it where it is not built, and is there as soon as it is', async () => {
    const { ask, build } = await open()
    const before = await ask('/console/', navigation)
    expect([before.status, before.text]).toEqual([503, expect.stringContaining('npm run build:console')])
    build()
    expect((await ask('/console/', navigation)).text).toBe('<p>the page</p>')
  })

  test('lets a browser run nothing but its own files, and show them in no frame', async () => {
    const { ask, build } = await open()
    build()
    for (const path of ['/console/', '/console/assets/main-1a2b.js']) {
      const { headers } = await ask(path, navigation)
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';.*frame-ancestors 'none'$/)
      expect(policy).not.toContain('unsafe')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  test('is kept by browsers where a name changes with what is in the file, and asked for again elsewhere', async () => {
    const { ask, build } = await open()
    build()
    const script = await ask('/console/assets/main-1a2b.js')
    expect([script.headers.get('cache-control'), script.headers.get('content-type')]).toEqual([
      'public, max-age=31536000, immutable',
      'text/javascript; charset=utf-8',
    ])
    expect((await ask('/console/', navigation)).headers.get('cache-control')).toBe('no-cache')
  })

  test('answers its page to whoever opens one of its paths, and nothing to what a page asks for that is missing', async () => {
    const { ask, build } = await open()
    build()
    expect((await ask('/console/approvals/apr_1', navigation)).text).toBe('<p>the page</p>')
    expect((await ask('/console/approvals/apr_1', { 'sec-fetch-mode': 'cors', accept: 'text/html' })).status).toBe(404)
    expect((await ask('/console/approvals/apr_1')).status).toBe(404)
    expect((await ask('/console/assets/gone.js', navigation)).status).toBe(404)
  })

  test('serves nothing outside its folder', async () => {
    const { ask, build } = await open()
    build()
    for (const path of ['..%2fsecret.js', '%2e%2e/secret.js', '..\\secret.js', '/etc/passwd', 'assets/../../secret.js'])
      expect((await ask(`/console/${path}`)).status).toBe(404)
  })

  test('is as it was built last, also while the gateway runs', async () => {
    const { ask, build, buildAgain } = await open()
    build()
    await ask('/console/assets/main-1a2b.js')
    buildAgain()
    expect((await ask('/console/assets/main-3c4d.js')).text).toBe('run again()')
    expect((await ask('/console/assets/main-1a2b.js')).status).toBe(404)
  })

  test('leads from its name to its pages', async () => {
    const { ask } = await open()
    const { status, headers } = await ask('/console')
    expect([status, headers.get('location')]).toEqual([308, '/console/'])
  })
})
