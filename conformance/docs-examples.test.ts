/** The examples of the pages on dialects and providers do what the pages say: commands and programs are run, configurations are checked. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeAuthority } from './harness/certificates.ts'
import { secrets } from './harness/governed-config.ts'
import { startGoverned, withBedrock, withGemini, type GovernedGateway } from './harness/governed-gateway.ts'
import { say } from './harness/model-answer.ts'
import { startVendor, type Vendor } from './harness/vendor.ts'
import { fixtureServer } from './mcp/upstream-servers.ts'

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)
const pages: readonly string[] = [
  'chat-completions',
  'messages',
  'responses',
  'gemini',
  'converse',
  'providers',
  'files-and-batches',
  'mcp',
  'rest-apis',
  'servers',
  'runners',
  'import',
  'import-gateways',
  'quarantine',
  'stops',
  'rails',
  'guards',
  'prompts',
  'transforms',
  'approvals',
  'balancing',
  'cache',
  'limits',
  // Every page on identity but those that explain and lead on.
  ...readdirSync(join(import.meta.dirname, '../docs/identity'))
    .filter((file) => file !== 'README.md' && file !== 'who-is-calling.md')
    .map((file) => `identity/${file.replace('.md', '')}`),
]

interface Example {
  readonly page: string
  readonly language: string
  readonly text: string
}

const examples = (await Promise.all(pages.map(examplesOf))).flat()

async function examplesOf(page: string): Promise<Example[]> {
  const text = await readFile(join(root, 'docs', `${page}.md`), 'utf8')
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', body = '']) => ({ page, language, text: body }))
}

const inLanguage = (language: string): Example[] => examples.filter((example) => example.language === language)

let governed: GovernedGateway
let other: Vendor
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-docs-'))
  other = await startVendor((request) => say(request, { text: 'Milk.' }))
  governed = await startGoverned((config) => {
    const whole = withGemini(withBedrock(config, other.url), other.url)
    const routes = whole['routes'] as unknown as object[]
    return {
      ...whole,
      servers: {
        home: { transport: 'stdio', command: ['node', fixtureServer('office.mjs'), folder], mounts: [{ path: folder, write: true }] },
      },
      gateways: { main: { servers: ['home'] } },
      templates: { expert: { model: 'gpt-5', text: 'Write {{program}}.' } },
      routes: [
        ...routes,
        { model: 'gpt-5', upstreams: ['openai'], templates: ['expert'] },
        { model: 'gpt-5.5', upstreams: ['openai'] },
        { model: 'sonnet', upstreams: [{ upstream: 'bedrock', model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' }] },
      ],
    }
  })
  governed.answer({ text: 'Milk.' })
  // The document of an API that a configuration reads.
  for (const { text } of inLanguage('json').filter(({ page }) => page === 'rest-apis')) await writeFile(join(folder, 'shop.json'), text)
  // What a listener proves itself with, and whom it believes.
  const authority = makeAuthority()
  const { cert, key } = authority.issue(['localhost'])
  const files = { 'listener.pem': cert, 'listener.key': key, 'clients.pem': authority.cert }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
})
afterAll(async () => {
  await governed?.close()
  await other?.close()
  await rm(folder, { recursive: true, force: true })
})

const env = () => ({ ...process.env, TURNWARD_URL: governed.url, TURNWARD_KEY: secrets.alice })

// What the examples need beside curl, for machines that do not have it.
const prelude = `curl() { command curl -sS --fail-with-body "$@"; }
jq() { node -e 'console.log(JSON.parse(require("fs").readFileSync(0, "utf8"))[process.argv[1].slice(1)])' "$2"; }
`

describe.each(inLanguage('sh').filter(({ text }) => text.includes('curl')))('the page $page', ({ page, text }) => {
  test(`its command is answered: ${text.split('\n')[0]}`, async () => {
    const { stdout } = await run('bash', ['-euc', `${prelude}${text}`], { cwd: root, env: env() })
    expect(stdout).toContain(page === 'mcp' ? 'home__read_news' : 'Milk.')
  })
})

describe.each(inLanguage('js'))('the page $page', ({ text }) => {
  test('its program runs', async () => {
    const asked = () => [other, governed.vendors.openai, governed.vendors.anthropic].reduce((sum, { requests }) => sum + requests.length, 0)
    const before = asked()
    await run(process.execPath, ['--input-type=module', '-e', text], { cwd: root, env: env() })
    expect(asked()).toBe(before + 1)
  })
})

describe.each(inLanguage('yaml'))('the page $page', ({ text }) => {
  test(`its configuration is one the gateway takes: ${text.split('\n').slice(0, 2).join(' ')}`, async () => {
    const path = join(folder, 'turnward.yaml')
    await writeFile(path, text)
    const names = [...text.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name = '']) => name)
    const given = Object.fromEntries(names.map((name) => [name, `the value of ${name}`]))
    const { stdout } = await run(process.execPath, [join(root, 'gateway/bin/turnward.mjs'), 'check', '--json', '--config', path], {
      env: { ...process.env, ...given },
    })
    expect(JSON.parse(stdout)).toMatchObject({ ok: true })
  })
})

test('every page has an example', () => {
  for (const page of pages) expect(examples.some((example) => example.page === page)).toBe(true)
})
