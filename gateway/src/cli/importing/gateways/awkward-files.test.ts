/** Files that nobody meant to be taken over like this: each is refused in words, or told of as a whole. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { importGateway } from './import-gateway.ts'
import { importerIds, type ImporterId } from './importers.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-awkward-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

interface Told {
  readonly findings: readonly {
    readonly at: string
    readonly outcome: string
    readonly to: readonly string[]
    readonly why: readonly string[]
  }[]
  readonly notes: readonly string[]
}

interface Imported {
  readonly code: unknown
  readonly told: Told
  readonly error: { readonly code: string; readonly message: string }
  readonly made: string
}

async function imported(from: ImporterId, content: string | Buffer): Promise<Imported> {
  const [theirs, ours] = [join(folder, 'theirs.yaml'), join(folder, 'ours.yaml')]
  writeFileSync(theirs, content)
  const written = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += String(text)
      return true
    })
  await importGateway(from, [theirs], { out: ours, force: true, json: true })
  vi.restoreAllMocks()
  const isDone = written.stdout !== ''
  return {
    code: process.exitCode ?? 0,
    told: isDone ? JSON.parse(written.stdout) : { findings: [], notes: [] },
    error: isDone ? { code: '', message: '' } : JSON.parse(written.stderr).error,
    made: isDone ? readFileSync(ours, 'utf8') : '',
  }
}

/** The smallest file of each that has a model. `more`: plugins or settings beside it. */
const small: Readonly<Record<ImporterId, (more?: string) => string>> = {
  litellm: (more = '') => `model_list: [{ model_name: gpt-4o, litellm_params: { model: openai/gpt-4o } }]\n${more}\n`,
  kong: (more = '') =>
    `_format_version: "3.0"\nservices:\n  - name: ai\n    url: http://localhost\n    plugins:\n      - { name: ai-proxy, config: { model: { provider: openai, name: gpt-4o } } }\n${more}\n`,
  apisix: (more = '') =>
    `routes:\n  - id: a\n    uri: /a\n    plugins:\n      ai-proxy: { provider: openai, options: { model: gpt-4o } }\n${more}\n#END\n`,
}

const bomb = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
  ...Array.from({ length: 7 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(9)}*a${n}]`),
].join('\n')

describe.each(importerIds)('of %s', (from) => {
  test.each<readonly [what: string, content: string | Buffer, message: RegExp]>([
    ['nothing', '', /the file is empty/],
    ['only remarks', '# nothing yet\n---\n', /the file is empty/],
    ['an empty mapping', '{}', /none of the sections of a file of/],
    ['a file of something else', 'kind: Deployment\nspec: {}', /none of the sections of a file of/],
    ['tabs', `${small[from]()}`.replace('\n', '\nextra:\n\t- a\n'), /line \d+, column \d+: tabs cannot indent YAML/],
    ['what is not UTF-8', Buffer.from([0xff, 0xfe, 0x6d, 0x00]), /is not valid UTF-8/],
    ['five megabytes', `${small[from]()}# ${'x'.repeat(5 * 1024 * 1024)}`, /is larger than 4194304 bytes/],
    ['an alias that stands for ever more', `${bomb}\n${small[from]()}`, /more than \d+ (?:values|aliases)/],
    ['an alias of nothing', `extra: *nobody\n${small[from]()}`, /this alias has no anchor before it/],
    ['a section twice', `${small[from]()}extra: 1\nextra: S3CR3T`, /`extra` is declared twice; first on line \d+/],
    ['a quote that does not end', `${small[from]()}extra: "S3CR3T`, /line \d+, column \d+/],
    ['a tag of a language', `extra: !!python/object:os.system S3CR3T\n${small[from]()}`, /unknown YAML tag/],
  ])('%s is refused: what, and where', async (_what, content, message) => {
    const { code, error, made } = await imported(from, content)
    expect({ code, error: error.code, made }).toEqual({ code: 1, error: 'request.invalid', made: '' })
    expect(error.message).toMatch(message)
    expect(error.message).toContain('theirs.yaml')
    expect(error.message).not.toContain('S3CR3T')
  })

  const awkward: Readonly<Record<ImporterId, Readonly<Record<'shared' | 'unknown' | 'off' | 'types' | 'twice', string>>>> = {
    litellm: {
      shared: `x: &usual { api_key: os.environ/KEY, api_base: "https://models.internal/v1" }\nmodel_list:\n${Array.from({ length: 300 }, (_, n) => `  - { model_name: m${n}, litellm_params: { <<: *usual, model: openai/m${n} } }`).join('\n')}`,
      unknown: small.litellm(
        'guardrails: [{ guardrail_name: a, litellm_params: { guardrail: nobody_knows, mode: pre_call } }]\nnew_settings: { a: 1 }',
      ),
      off: small.litellm('guardrails: [{ guardrail_name: a, litellm_params: { guardrail: presidio, mode: logging_only } }]'),
      types: 'model_list: { a: 1 }\nlitellm_settings: [x]\nrouter_settings: yes\ngeneral_settings: 7\nguardrails: none',
      twice: `model_list:\n${'  - { model_name: gpt-4o, litellm_params: { model: openai/gpt-4o, rpm: 5 } }\n'.repeat(2)}`,
    },
    kong: {
      shared: `_format_version: "3.0"\nx: &proxy { name: ai-proxy, config: { model: { provider: openai, name: gpt-4o } } }\nservices:\n${Array.from({ length: 300 }, (_, n) => `  - { name: s${n}, url: "http://localhost", plugins: [*proxy] }`).join('\n')}`,
      unknown: small.kong('      - { name: nobody-knows, config: { a: 1 } }'),
      off: small.kong('      - { name: ai-prompt-guard, enabled: false, config: { deny_patterns: [x] } }'),
      types:
        'services: { a: 1 }\nroutes: [1, [2], null]\nplugins: [{ name: [ai-proxy] }, { name: ai-proxy, config: [x] }, x]\nconsumers: yes',
      twice: `services:\n${'  - { name: ai, url: "http://localhost", plugins: [{ name: ai-proxy, config: { model: { provider: openai, name: gpt-4o } } }], routes: [{ name: a, paths: [/a] }] }\n'.repeat(2)}`,
    },
    apisix: {
      shared: `x: &proxy { ai-proxy: { provider: openai, options: { model: gpt-4o } } }\nroutes:\n${Array.from({ length: 300 }, (_, n) => `  - { id: r${n}, uri: /r${n}, plugins: *proxy }`).join('\n')}`,
      unknown: small.apisix('      nobody-knows: { a: 1 }'),
      off: small.apisix('      ai-prompt-guard: { _meta: { disable: true }, deny_patterns: [x] }'),
      types: 'routes: { a: 1 }\nservices: [1, [2], null]\nconsumers: yes\nplugin_configs: [{ id: [1], plugins: [x] }]\nglobal_rules: 7',
      twice: `routes:\n${'  - { id: a, uri: /a, plugins: { ai-proxy: { provider: openai, options: { model: gpt-4o } } } }\n'.repeat(2)}`,
    },
  }

  test.each([
    ['one anchor for hundreds of things', 'shared'],
    ['plugins and sections that nobody knows', 'unknown'],
    ['what is switched off', 'off'],
    ['a name twice', 'twice'],
  ] as const)('%s is told of, and the rest is taken over', async (_what, kind) => {
    const { code, told, made } = await imported(from, awkward[from][kind])
    expect(code).toBe(told.findings.every(({ outcome }) => outcome === 'carried') ? 0 : 5)
    expect(made).toContain('routes:')
    for (const { at, outcome, to, why } of told.findings) expect(outcome === 'not_carried' ? why : to, at).not.toEqual([])
    if (kind === 'shared') expect(told.findings.length).toBeGreaterThan(600)
    if (kind === 'unknown') expect(JSON.stringify(told.findings)).toMatch(/nobody[_-]knows`: /)
    if (kind === 'off') expect(JSON.stringify(told.findings)).toMatch(/it is switched off|contents are not recorded/)
    if (kind === 'twice')
      expect(told.findings.filter(({ at }) => at.endsWith('provider') || at.endsWith('.model')).every(({ to }) => to.length > 0)).toBe(true)
  })

  test('values of other kinds than they should be are told of, and nothing is made of them', async () => {
    const { code, told, made } = await imported(from, awkward[from].types)
    expect({ code, made }).toEqual({ code: 5, made: expect.not.stringContaining('routes:') })
    expect(told.findings.map(({ outcome }) => outcome)).not.toContain('carried')
    expect(told.notes.join()).toContain('No model was taken over.')
  })
})
