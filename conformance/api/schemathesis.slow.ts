/**
 * The administration API against its own OpenAPI document, by Schemathesis (PyPI): requests that fit the document and requests that
 * do not, none of which may end in an error of the gateway's or in an answer of another form.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway } from '../harness/gateway-process.ts'
import { vendorError } from '../harness/model-answer.ts'
import { startVendor } from '../harness/vendor.ts'
import { hasPython, installPython } from '../registries/python-client.ts'

const requirement = 'schemathesis==4.32.5'
const key = 'tw_conformance_api_administrator_000'
const run = promisify(execFile)

const configOf = (vendorUrl: string) => ({
  principals: { root: {}, alice: { groups: ['support'] } },
  groups: { support: {} },
  identity: { roles: { admin: { people: ['root'] } } },
  keys: { root: { principal: 'root', secret: key, scopes: ['admin', 'models', 'mcp'] } },
  upstreams: { vendor: { kind: 'openai', base_url: vendorUrl, credential: 'none' } },
  routes: [{ model: 'gpt-test', upstreams: ['vendor'] }],
  grants: [{ principals: ['*'], models: ['*'] }],
  limits: { rules: [{ name: 'few', per: 'principal', count: 'requests', limit: 5, window: '1d' }] },
})

/** What may keep the one who asks from asking on: tried by itself. */
const lockingOut = '^/api/(stops|people/)'
/** A stream that goes on. */
const endless = '^/api/live$'

let folder: string
let program: string

beforeAll(async () => {
  if (!hasPython) return
  folder = await mkdtemp(join(tmpdir(), 'turnward-api-'))
  program = join(installPython(join(folder, 'python'), requirement).python, '../schemathesis')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test.skipIf(!hasPython).each([
  { what: 'what is read and changed', paths: ['--exclude-path-regex', `${lockingOut}|${endless}`] },
  { what: 'what may lock somebody out', paths: ['--include-path-regex', lockingOut] },
])('$what', async ({ paths }) => {
  // It takes no key: what is stored there is refused by it, and not for want of it.
  await using vendor = await startVendor((request) => vendorError(request, 401, 'Incorrect API key'))
  await using gateway = await startGateway({ config: configOf(vendor.url) })
  const checks = [
    'not_a_server_error',
    'status_code_conformance',
    'content_type_conformance',
    'response_headers_conformance',
    'response_schema_conformance',
    'unsupported_method',
  ]
  const { stdout, code } = await run(
    program,
    [
      'run',
      `${gateway.url}/api/openapi.json`,
      `--header=authorization: Bearer ${key}`,
      `--checks=${checks.join(',')}`,
      '--max-examples=50',
      // The API takes so many requests of one person; what is refused for that is not looked at.
      '--rate-limit=40/s',
      '--workers=1',
      '--no-color',
      ...paths,
    ],
    { cwd: folder, maxBuffer: 256 * 1024 * 1024 },
  ).then(
    (done) => ({ ...done, code: 0 }),
    (failed: { stdout: string; code: number }) => failed,
  )
  // What it sent may be megabytes.
  const said = stdout.split('\n').map((line) => line.slice(0, 400))
  console.log(said.slice(-25).join('\n'))
  expect(code, said.join('\n').slice(0, 20_000)).toBe(0)
  expect(stdout).toMatch(/Tested: [1-9]/)
})
