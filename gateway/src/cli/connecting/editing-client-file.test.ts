import { expect, test } from 'vitest'
import type { Entry } from '@turnward/contract/connect/entry'
import type { JsonValue } from '../../core/json.ts'
import { plainOf, withEntries, withEntriesOf } from './editing-client-file.ts'

const server: Entry = { path: ['mcpServers', 'turnward'], value: { url: 'http://127.0.0.1:4100/mcp/main' } }
const input: Entry = { path: ['inputs', { id: 'turnward-key' }], value: { id: 'turnward-key', password: true } }
const base: Entry = { path: ['env', 'ANTHROPIC_BASE_URL'], value: 'http://127.0.0.1:4100' }
const provider: Entry = { path: ['model_provider'], value: 'turnward' }
const providers: Entry = { path: ['model_providers', 'turnward'], value: { name: 'Turnward', env_key: 'TURNWARD_KEY' } }

const json = (text: string) => ({ file: 'settings.json', format: 'json', text }) as const
const toml = (text: string) => ({ file: 'config.toml', format: 'toml', text }) as const

const texts: readonly (readonly [what: string, text: string])[] = [
  ['nothing at all', ''],
  ['an empty object', '{}\n'],
  ['an empty object with a comment', '{\n  // mine\n}\n'],
  ['other servers', '{\n  "mcpServers": {\n    "files": { "command": "node" }\n  },\n  "theme": "dark"\n}\n'],
  ['comments and trailing commas', '{\n\t// keep me\n\t"mcpServers": {\n\t\t"files": {"command": "a//b"}, // and me\n\t},\n}\n'],
  ['one line', '{"mcpServers":{"a":{}},"inputs":[{"id":"x"}]}'],
  ['an older address', '{ "env": { "ANTHROPIC_BASE_URL": "https://old.example", "PAGER": "less" } }'],
  ['an older entry in the middle', '{"mcpServers":{"a":{},"turnward":{"url":"http://old.example/mcp"},"b":{}}}'],
  ['an older input', '{"inputs":[{"id":"turnward-key","type":"promptString"},{"id":"y"}]}'],
]

test.each(texts)('a file with %s has the entries, and what it had besides', (_what, text) => {
  const entries = [server, input, base]
  const edited = withEntries(json(text), entries)
  const plain: unknown = plainOf(json(edited))
  expect(plain).toMatchObject({
    mcpServers: { turnward: server.value },
    inputs: expect.arrayContaining([input.value as object]),
    env: { ANTHROPIC_BASE_URL: base.value },
  })
  for (const comment of text.match(/\/\/ [a-z ]+/g) ?? []) expect(edited).toContain(comment)
  // Twice is once.
  expect(withEntries(json(edited), entries)).toBe(edited)
})

test.each(texts)('a file with %s means what it meant, once the entries are taken back', (_what, text) => {
  const entries = [server, input, base]
  const before = plainOf(json(text))
  const edited = withEntries(json(text), entries)
  expect(
    plainOf(
      json(
        withEntriesOf(
          json(edited),
          entries.map(({ path }) => path),
          before,
        ),
      ),
    ),
  ).toEqual(before)
})

test('what the client wrote meanwhile stays', () => {
  const edited = withEntries(json('{"a":1}'), [server]).replace('"a": 1', '"a":1').replace('{"a":1', '{"a":1,"since":2')
  expect(plainOf(json(withEntriesOf(json(edited), [server.path], { a: 1 })))).toEqual({ a: 1, since: 2 })
})

test('lines keep the indentation of their file', () => {
  expect(withEntries(json('{\n    "mcpServers": {\n        "a": {}\n    }\n}\n'), [server])).toBe(
    '{\n    "mcpServers": {\n        "a": {},\n        "turnward": {\n          "url": "http://127.0.0.1:4100/mcp/main"\n        }\n    }\n}\n',
  )
})

const tables: readonly (readonly [what: string, text: string])[] = [
  ['nothing at all', ''],
  ['other tables', '# mine\nmodel = "o3"\n\n[mcp_servers.files]\ncommand = "node"\n\n[tui]\ntheme = "dark"\n'],
  ['an older provider', 'model_provider = "openai" # why\n[model_providers.openai]\nname = "OpenAI"\n'],
  ['an older table', '[model_providers."turnward"]\nname = "Old"\n\n# about the next\n[tui]\ntheme = "dark"\n'],
]

test.each(tables)('a TOML file with %s has the entries, and means what it meant once they are taken back', (_what, text) => {
  const entries = [provider, providers]
  const before = plainOf(toml(text))
  const edited = withEntries(toml(text), entries)
  expect(plainOf(toml(edited))).toMatchObject({ model_provider: 'turnward', model_providers: { turnward: providers.value } })
  const back = plainOf(
    toml(
      withEntriesOf(
        toml(edited),
        entries.map(({ path }) => path),
        before,
      ),
    ),
  )
  expect(JSON.parse(JSON.stringify(back))).toEqual(JSON.parse(JSON.stringify(before)))
})

test.each<readonly [string, ReturnType<typeof json | typeof toml>, Entry]>([
  ['a list where an object is needed', json('{"mcpServers":[]}'), server],
  ['JSON for people in quotes of another kind', json("{'mcpServers':{}}"), server],
  ['a key that is there twice', json('{"mcpServers":{},"mcpServers":{"a":{}}}'), server],
  ['a table written as a value', toml('model_providers = { turnward = { name = "Old" } }\n'), providers],
  ['a text of several lines that looks like a table', toml('note = """\n[model_providers.turnward]\n[x]\n"""\n'), providers],
])('%s is not changed: whoever asked is told to do it by hand', (_what, client, entry) => {
  expect(() => withEntries(client, [entry])).toThrow(
    expect.objectContaining({ code: 'request.invalid', fix: expect.stringContaining('by hand') }),
  )
})

test('what is no JSON is not quoted', () => {
  const secret = 'tw_0123456789abcdef0123'
  let told = ''
  try {
    withEntries(json(`{"key":"${secret}"`), [server])
  } catch (error) {
    told = JSON.stringify(error) + String(error)
  }
  expect(told).toContain('settings.json')
  expect(told).not.toContain(secret)
})

test('a value named like a part of every object is a value', () => {
  const before: JsonValue = plainOf(json('{"mcpServers":{"constructor":{"command":"a"}}}'))
  expect(plainOf(json(withEntries(json('{"mcpServers":{"constructor":{"command":"a"}}}'), [server])))).toEqual({
    mcpServers: { ...(before as { mcpServers: object }).mcpServers, turnward: server.value },
  })
})
